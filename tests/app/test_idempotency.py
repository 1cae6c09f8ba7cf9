"""Requests that are sent again, on a route of the test's own: the promise holds whatever features there are."""

from typing import Annotated

import anyio
import pytest
from httpx2 import Response as Answer
from sqlalchemy import func, select

from app.audit.actions import record
from app.audit.models import AuditEvent, RequestFacts
from app.config import Settings
from app.database import Database, Db, system_scope
from app.idempotency import Once
from app.main import create_app
from app.organizations.dependencies import Allowed
from app.organizations.models import Scope
from core.requests import Request
from core.responses import JSONResponse, Response
from core.routing import Route
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in

PATH = "/api/v1/organizations/ada-lovelace/launches"


async def launch(
    request: Request, scope: Annotated[Scope, Allowed("organization.view")], db: Db, once: Once
) -> Response:
    """Has an effect that can be counted."""
    if once.earlier is not None:
        return once.earlier
    event = await record(
        db,
        "launches.launched",
        actor_id=scope.user.id,
        organization_id=scope.organization.id,
        request=RequestFacts.of(request),
    )
    await db.flush()
    return await once.keep(JSONResponse({"id": str(event.id)}, 201))


@pytest.mark.requirement("API-5")
async def test_of_many_requests_with_one_key_at_the_same_time_one_has_an_effect(
    fresh_database: Database, settings: Settings
) -> None:
    async with fresh_database.transaction() as db:
        await add_person(db)
    app = create_app(settings, database=fresh_database)
    app.routes.append(Route("/api/v1/organizations/{slug}/launches", launch, methods=["POST"], name="launches.launch"))
    answers: list[Answer] = []
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        await log_in(client)
        headers = {"x-csrf-token": await csrf_token(client), "idempotency-key": "a-1"}

        async def ask() -> None:
            answers.append(await client.post(PATH, json={"rocket": 1}, headers=headers))

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(ask)
        other = await client.post(PATH, json={"rocket": 2}, headers=headers)
    async with fresh_database.transaction() as db, system_scope(db):
        count = await db.scalar(select(func.count()).where(AuditEvent.action == "launches.launched"))
    assert count == 1
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert other.status_code == 422
