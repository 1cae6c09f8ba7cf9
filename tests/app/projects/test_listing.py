"""The orders of the list, and the indexes that serve them."""

import pytest
from sqlalchemy import literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import name_organization
from app.lines import DIALECT
from app.projects.listing import ORDERS
from app.projects.models import Project
from tests.app.accounts.people import add_person, organization_of
from tests.app.projects.starting import start


@pytest.mark.parametrize(
    ("order", "index"),
    [("created", "age"), ("name", "name"), ("due", "due_date"), ("status", "status")],
)
async def test_an_index_leads_to_what_follows_a_position_although_rows_are_hidden(
    db: AsyncSession, order: str, index: str
) -> None:
    ada = await add_person(db)
    project = await start(db, ada, "Harbour")
    organization = await organization_of(db, ada)
    await name_organization(db, organization.id)
    place = tuple_(ORDERS[order], Project.id)
    here = select(ORDERS[order], Project.id).where(Project.id == project.id).subquery()
    found = (await db.execute(select(*here.c))).one()
    position = tuple_(literal(found[0], ORDERS[order].type), literal(found[1], Project.id.type))
    following = select(Project.id).where(Project.organization_id == organization.id, place > position)
    sql = following.order_by(*place.clauses).compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})
    await db.execute(text("SET LOCAL enable_seqscan = off"))
    await db.execute(text("SET LOCAL enable_bitmapscan = off"))
    plan = "\n".join(await db.scalars(text(f"EXPLAIN {sql}")))

    assert f"ix_projects_by_{index} " in plan
    condition = next(line for line in plan.splitlines() if "Index Cond" in line)
    assert "ROW(" in condition, plan
