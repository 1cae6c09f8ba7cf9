"""What people and programs type never reaches the database with a byte that it cannot hold."""

import re
from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from sqlalchemy.ext.asyncio import AsyncSession

from app import features
from app.forms import Form, JsonBody
from core.routing import Route
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, organization_of

PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
# Texts that no statement carries, each with the reason.
NEVER_STORED = {
    "credential": "It is parsed as JSON, and what it holds is compared.",
    "cursor": "It is signed, and refused before it is read.",
    "next": "It is a path of our own, or it counts as empty.",
    "ImportForm.text": "It is the file that was shown before: every value of it is checked by ProjectForm.",
    "NewImport.text": "Every value of the table is checked by ProjectForm.",
    "NewInvitations.emails": "Each is checked by itself and has an answer of its own.",
    "SpecimenForm.notes": "The page of components keeps nothing.",
    "StrengthForm.email": "The meter keeps nothing.",
    "StrengthForm.name": "The meter keeps nothing.",
}


def submitted_models() -> Iterator[type[BaseModel]]:
    """Every model of what may be submitted: forms, bodies, and queries (which stand in forms.py)."""
    for file in ("forms", "routes"):
        features.modules(file)
    for model in subclasses(BaseModel):
        is_ours = model.__module__.startswith("app.")
        if is_ours and (issubclass(model, Form | JsonBody) or model.__module__.endswith("forms")):
            yield model


def subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        yield each
        yield from subclasses(each)


def takes_nul(field: FieldInfo) -> bool:
    kind: Any = Annotated[(field.annotation, *field.metadata, None)]  # Any: a type that is made while the test runs.
    adapter = TypeAdapter(kind)
    for value in ("a\x00b", ["a\x00b"]):
        try:
            adapter.validate_python(value)
        except ValidationError:
            continue
        return True
    return False


def test_every_submitted_text_that_may_be_stored_refuses_a_nul() -> None:
    taking = {
        f"{model.__name__}.{name}"
        for model in submitted_models()
        for name, field in model.model_fields.items()
        if takes_nul(field) and name not in NEVER_STORED
    }
    assert taking == {name for name in NEVER_STORED if "." in name}


@pytest.mark.parametrize(
    "page",
    [
        "audit?who=%00",
        "audit?action=%00",
        "members?search=%00",
        "members?role=%00",
        "projects?search=%00",
        "files?search=%00",
    ],
)
async def test_a_nul_in_an_address_is_no_error_of_ours(client: AsyncTestClient, db: AsyncSession, page: str) -> None:
    person = await add_person(db)
    await log_in(client, person.email)
    slug = (await organization_of(db, person)).slug

    answer = await client.get(f"/o/{slug}/{page}")

    assert answer.status_code < 500


async def test_a_nul_in_a_query_of_the_api_is_refused_by_name(client: AsyncTestClient, db: AsyncSession) -> None:
    person = await add_person(db)
    await log_in(client, person.email)
    slug = (await organization_of(db, person)).slug

    answer = await client.get(f"/api/v1/organizations/{slug}/audit-events?action=%00")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/action"


def paths_of_texts(slug: str) -> Iterator[tuple[str, str]]:
    """Each route that takes a text in its path, with a NUL for every text but the slug of an organization that there is."""
    for route in features.routes(development=False):
        if isinstance(route, Route):
            path = PARAMETER.sub(lambda found: slug if found[1] == "slug" else filling(found[2]), route.path)
            yield from ((method, path) for method in sorted(route.methods or ()) if "%00" in path)


def filling(kind: str) -> str:
    return {"uuid": str(UUID(int=1)), "int": "1"}.get(kind, "%00")


async def test_a_nul_in_a_path_is_no_error_of_ours(client: AsyncTestClient, db: AsyncSession) -> None:
    person = await add_person(db)
    await log_in(client, person.email)
    headers = {"x-csrf-token": await csrf_token(client)}
    slug = (await organization_of(db, person)).slug
    asked = [*paths_of_texts(slug), ("GET", "/o/%00"), ("GET", "/api/v1/organizations/%00"), ("GET", "/o/%00/members")]

    answers = {(method, path): await client.request(method, path, headers=headers) for method, path in asked}

    assert len(answers) > 10
    assert [asked for asked, answer in answers.items() if answer.status_code >= 500] == []
