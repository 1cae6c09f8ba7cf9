"""Every field of GraphQL that asks for something, as every actor of the table."""

from collections.abc import Callable

import pytest

from app.api.graphql_schema import schema
from tests.isolation.expectations import ACTORS, TABLE, Actor, Outcome, Row, expected
from tests.isolation.world import NOBODYS, OURS, THEIRS, World, undone

pytestmark = pytest.mark.requirement("TEN-2", "GQL-3")

RecordProperty = Callable[[str, object], None]
PATH = "/graphql"
# For each field that asks for something: a question, with %s for an organization.
QUESTIONS = {
    "Query.me": "{ me { name } }",
    "Query.organizations": "{ organizations { slug } }",
    "Query.organization": '{ organization(slug: "%s") { name } }',
    "Query.projects": '{ projects(organization: "%s") { items { name } } }',
    "Query.project": '{ project(organization: "%s", id: "01890000-0000-7000-8000-000000000000") { name } }',
    "Organization.members": '{ organization(slug: "%s") { members { name } } }',
    "Organization.invitations": '{ organization(slug: "%s") { invitations { id } } }',
    "Organization.audit_events": '{ organization(slug: "%s") { auditEvents { action } } }',
}
ROWS = {name: Row(access) for name, access in TABLE["graphql"].items()}
ENTERED = Row("permission organization.view")
KINDS = {401: Outcome.LOG_IN, 403: Outcome.FORBIDDEN, 404: Outcome.MISSING}


def resolved_fields() -> set[str]:
    """The fields of the schema that have a function of their own; all others are parts of what those return."""
    found = set()
    for name, each in schema.schema_converter.type_map.items():
        fields = getattr(each.definition, "fields", None) if name != "Subscription" else None
        found |= {f"{name}.{field.name}" for field in fields or () if field.base_resolver is not None}
    return found


def wanted(name: str, actor: Actor) -> Outcome:
    """What is inside an organization is for those who may enter it."""
    row = ROWS[name]
    if name.startswith("Organization.") and (refused := expected(ENTERED, actor, PATH)) != Outcome.IN:
        return refused
    return expected(row, actor, PATH)


async def ask(world: World, actor: Actor, question: str) -> Outcome:
    """What becomes of a question; nothing of it stays."""
    async with undone(world.connection):
        client = world.clients[actor.name]
        client.cookies.clear()
        headers = {"accept": "application/json", "x-csrf-token": world.csrf.get(actor.name, "")}
        answer = await client.post(PATH, json={"query": question}, headers={**headers, **world.headers[actor.name]})
    if answer.status_code in KINDS:
        return KINDS[answer.status_code]
    statuses = [error["extensions"]["status"] for error in answer.json().get("errors", ())]
    return KINDS.get(statuses[0], Outcome.FAILED) if statuses else Outcome.IN


def test_every_field_has_a_row_and_a_question() -> None:
    assert resolved_fields() == ROWS.keys() & resolved_fields()
    assert ROWS.keys() == QUESTIONS.keys()


async def test_every_field_answers_as_the_table_says(world: World, record_property: RecordProperty) -> None:
    wrong, cells = [], 0
    for name in sorted(resolved_fields()):
        for actor in ACTORS:
            question = QUESTIONS[name].replace("%s", OURS)
            got = await ask(world, actor, question)
            cells += 1
            # A missing project says so to those who may look; to others it says why not.
            if name == "Query.project" and wanted(name, actor) == Outcome.IN and got == Outcome.MISSING:
                continue
            if got != wanted(name, actor):
                wrong.append(f"{name} as {actor.name}: {got}, not {wanted(name, actor)}")
    record_property("cells", cells)
    assert wrong == []


async def test_an_organization_of_others_is_as_missing_as_none(world: World, record_property: RecordProperty) -> None:
    owner = next(actor for actor in ACTORS if actor.name == "owner")
    asked = [question for name, question in QUESTIONS.items() if "%s" in question and name in resolved_fields()]
    outcomes = {
        await ask(world, owner, question.replace("%s", slug)) for question in asked for slug in (THEIRS, NOBODYS)
    }
    record_property("cells", len(asked) * 2)

    assert outcomes == {Outcome.MISSING}
