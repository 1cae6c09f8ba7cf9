"""Projects from files and as files: read as spreadsheets write them, checked before anything is written."""

import csv
import html
import io

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.projects.csv_files import LARGEST_FILE, UnreadableFile, read_table, read_text
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in
from tests.app.projects.starting import PROJECTS, check, confirm, events_of, projects_of, start, start_many


async def test_a_file_is_shown_first_and_imported_when_somebody_says_so(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await log_in(client)
    review = await check(
        client,
        'Name;Status;Lead;due_on;Description;Colour\nBoat;active;ADA@example.com;2030-12-31;"Two\nlines";red\nShip;;;;;\n',
    )

    assert review.status_code == 200
    assert "2 projects would be started." in review.text
    assert "colour" in review.text
    assert await projects_of(db) == []
    answer = await confirm(client, review)
    assert answer.status_code == 303
    page = await client.get(answer.headers["location"])
    assert "Importing projects" in page.text
    assert "Waiting" in page.text
    assert await projects_of(db) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (",active,,", "name: Enter a value."),
        ("x" * 101 + ",,,", "name: Use at most 100 characters."),
        ("Boat,gone,,", "status: Choose one of the options."),
        ("Boat,,nobody@example.com,", "lead: no active member has the address nobody@example.com."),
        ("Boat,,mary@example.com,", "lead: no active member has the address mary@example.com."),
        ("Boat,,,31.12.2030", "due_on: Enter a day as year, month and day"),
        ("OLD BOAT,,,", "name: a project has this name already."),
        ("good,,,", "name: another line has the same name."),
    ],
)
async def test_every_mistake_is_told_by_its_line_and_nothing_is_imported(
    client: AsyncTestClient, db: AsyncSession, line: str, message: str
) -> None:
    ada = await add_person(db)
    await add_person(db, "Mary Somerville", "mary@example.com")
    await start(db, ada, "Old boat")
    await log_in(client)
    review = await check(client, f"name,status,lead,due_on\nGood,,,\n{line},\n")

    assert review.status_code == 422
    assert message in html.unescape(review.text)
    assert ">3<" in review.text
    assert (await confirm(client, review)).status_code == 409
    assert len(await projects_of(db)) == 1


async def test_a_name_taken_between_the_two_steps_is_shown_and_nothing_is_imported(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    await log_in(client)
    review = await check(client, "name\nBoat\nShip\n")
    await start(db, ada, "boat")
    answer = await confirm(client, review)

    assert answer.status_code == 409
    assert "a project has this name already" in answer.text
    assert len(await projects_of(db)) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"title\nBoat\n", "The file has no column"),
        (b"\x89PNG\x00\x01", "This is not a text file."),
        (b"name\n" + b"x\n" * 1001, "more than 1,000 rows"),
        (b"name\n" + b"x" * LARGEST_FILE, "larger than 512 KB"),
        (b'name\n"Boat"s\n', "Line 2 cannot be read"),
        (b'name\n"Boat\n', "cannot be read"),
        (b"name\n" + b"x" * 140_000, "cannot be read"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    client: AsyncTestClient, db: AsyncSession, content: bytes, message: str
) -> None:
    await add_person(db)
    await log_in(client)
    answer = await check(client, content)

    assert answer.status_code == 422
    assert message in html.unescape(answer.text)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiters_and_encodings_of_spreadsheets_are_recognized(delimiter: str, encoding: str) -> None:
    written = f'"name, the; one"{delimiter}Status\r\nKühlraum{delimiter}Gerät\r\n\r\n'
    table = read_table(*read_text(written.encode(encoding)))

    assert list(table.columns) == ["name, the; one", "status"]
    assert [(row.line, row.cells) for row in table.rows] == [(2, {"name, the; one": "Kühlraum", "status": "Gerät"})]


def test_lines_are_counted_as_an_editor_does() -> None:
    table = read_table('name\n\n"a\nb"\nc\n')
    assert [row.line for row in table.rows] == [3, 5]


def test_a_file_of_zeros_is_no_text() -> None:
    with pytest.raises(UnreadableFile):
        read_text(b"\0" * 100)


async def test_what_is_downloaded_has_the_filter_of_the_list_and_no_formulas(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    await start(db, ada, '=HYPERLINK("evil")', status="active", lead_id=ada.id, description="-1+2")
    await start(db, ada, "Boat, big", status="active")
    await start(db, ada, "Anchor")
    await log_in(client)
    answer = await client.get(f"{PROJECTS}.csv?status=active&sort=name")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="projects-')
    head, first, second = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head == ["name", "description", "status", "lead", "due_on", "created_at"]
    assert first[:5] == ['\'=HYPERLINK("evil")', "'-1+2", "active", "ada@example.com", ""]
    assert second[0] == "Boat, big"
    assert len(await events_of(db, "projects.exported")) == 1
    assert read_table(answer.text.lstrip("\ufeff")).rows[0].cells["name"] == '=HYPERLINK("evil")'


async def test_a_long_list_is_downloaded_whole(client: AsyncTestClient, db: AsyncSession) -> None:
    await start_many(db, await add_person(db), 1201)
    await log_in(client)
    answer = await client.get(f"{PROJECTS}.csv?sort=due")
    names = [row[0] for row in csv.reader(io.StringIO(answer.text))][1:]

    assert len(set(names)) == len(names) == 1201
