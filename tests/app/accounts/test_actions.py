"""What no page does: staff, the demonstration, and forgetting."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts import actions, routes
from app.accounts.choosing import WeakPassword
from app.accounts.jobs import forget_claims, forget_sessions
from app.accounts.models import Email, OneTimeToken, Password, Session, User
from app.accounts.queries import find_user
from app.config import Settings
from app.database import system_scope
from app.jobs.registry import JobContext
from app.organizations.models import Membership, Organization
from app.organizations.routes import seed as seed_organizations
from core.testclient import AsyncTestClient
from tests.app.accounts.people import PASSWORD, add_person, log_in, mailed_token, sign_up
from tests.databases import RolledBackDatabase


async def test_staff_is_made_by_the_command_line_with_a_new_account(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await actions.create_staff(db, name="Grace", email="grace@example.com", password=PASSWORD)
    await db.flush()

    assert user.is_staff
    assert (await log_in(client, "grace@example.com")).headers["location"] == "/o"
    assert "belong to no organization" in (await client.get("/o")).text


async def test_staff_is_made_of_an_account_that_exists(db: AsyncSession) -> None:
    user = await add_person(db)
    again = await actions.create_staff(db, name="ignored", email="ADA@example.com", password="too short")
    await db.flush()

    assert (again.id, again.name, again.is_staff) == (user.id, "Ada Lovelace", True)


async def test_staff_needs_a_password_that_nobody_guesses(db: AsyncSession) -> None:
    with pytest.raises(WeakPassword):
        await actions.create_staff(db, name="Grace", email="grace@example.com", password="grace@example.com")


@pytest.mark.parametrize(
    ("name", "email"), [("Grace", "not an address"), ("", "grace@example.com"), ("\x00", "a@b.co")]
)
async def test_staff_needs_a_name_and_an_address(db: AsyncSession, name: str, email: str) -> None:
    with pytest.raises(actions.InvalidPerson):
        await actions.create_staff(db, name=name, email=email, password=PASSWORD)


@pytest.mark.requirement("AUT-4")
async def test_an_address_has_one_owner_whatever_its_case(db: AsyncSession) -> None:
    await add_person(db)

    with pytest.raises(IntegrityError, match="uq_emails_verified"):
        await actions.create_verified_user(db, name="Another", email="ADA@Example.com", password=PASSWORD)


async def test_a_person_has_one_primary_address_and_it_is_verified(db: AsyncSession) -> None:
    user = await add_person(db)
    with pytest.raises(IntegrityError, match="primary_is_verified"):
        async with db.begin_nested():
            db.add(Email(user_id=user.id, address="second@example.com", is_primary=True))
    with pytest.raises(IntegrityError, match="uq_emails_primary"):
        async with db.begin_nested():
            db.add(Email(user_id=user.id, address="second@example.com", is_primary=True, verified_at=clock.now()))


async def test_the_demonstration_is_seeded_once(client: AsyncTestClient, db: AsyncSession) -> None:
    for _ in range(2):
        async with system_scope(db):
            await routes.seed(db)
            await seed_organizations(db)

    await log_in(client, routes.DEMO_EMAIL, routes.DEMO_PASSWORD)
    response = await client.get("/o")
    assert response.headers["location"] == "/o/demo"
    async with system_scope(db):
        organization = (await db.scalars(select(Organization))).one()
        assert organization.name == "Demo"
        assert await db.scalar(select(func.count()).select_from(Membership)) == 1


async def test_claims_that_nobody_proved_are_forgotten_after_a_week(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, settings: Settings
) -> None:
    await add_person(db)
    await sign_up(client, email="claim@example.com")
    job = JobContext(settings=settings, database=database)

    with clock.travel(timedelta(days=6)):
        await forget_claims(job)
    assert await db.scalar(select(func.count()).select_from(User)) == 2
    with clock.travel(timedelta(days=8)):
        await forget_claims(job)
    assert (await db.scalars(select(User.name))).all() == ["Ada Lovelace"]
    assert await find_user(db, "ada@example.com") is not None


async def test_sessions_and_links_are_forgotten_long_after_their_end(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, settings: Settings
) -> None:
    await sign_up(client)
    await client.post("/verify-email", data={"token": await mailed_token(db)})
    await log_in(client)
    job = JobContext(settings=settings, database=database)

    counts = []
    for days in (100, 130):
        with clock.travel(timedelta(days=days)):
            await forget_sessions(job)
        counts.append([await db.scalar(select(func.count()).select_from(table)) for table in (Session, OneTimeToken)])
    assert counts == [[1, 0], [0, 0]]


async def test_models_do_not_show_their_secrets(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)

    session = (await db.scalars(select(Session))).one()
    assert "token" not in repr(session)
    assert "argon2" not in repr((await db.scalars(select(Password))).one())
