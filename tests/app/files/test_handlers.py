"""The page of an organization's files, with a browser that has no JavaScript."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.models import AuditEvent
from app.config import Settings
from app.database import system_scope
from app.files.models import FileRemoval, FileState, FileUsage
from app.policy import Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import csrf_token, log_in, organization_of
from tests.app.files.conftest import MEGABYTE, all_files, kept_paths, only_file, upload
from tests.app.organizations.test_handlers import add_member
from tests.app.test_images import bomb, picture

Statements = Callable[[], AbstractContextManager[list[str]]]
PAGE = "/o/ada-lovelace/files"


async def press(client: AsyncTestClient, path: str) -> int:
    return (await client.post(path, data={"csrf_token": await csrf_token(client)})).status_code


async def actions_of(db: AsyncSession) -> list[str]:
    async with system_scope(db):
        statement = select(AuditEvent.action).where(AuditEvent.target_type == "file").order_by(AuditEvent.id)
        return list(await db.scalars(statement))


async def test_an_empty_list_says_what_belongs_there(client: AsyncTestClient, ada: User) -> None:
    page = (await client.get(PAGE)).text
    assert "No files yet" in page
    assert "0 bytes of 3 MB" in page
    assert 'enctype="multipart/form-data"' in page
    assert "Nothing is deleted" in (await client.get(f"{PAGE}?state=deleted")).text


@pytest.mark.requirement("UPL-1", "UPL-4")
async def test_files_are_kept_under_random_names_that_nobody_typed(
    client: AsyncTestClient, db: AsyncSession, file_settings: Settings, ada: User
) -> None:
    response = await upload(client, ("notes.txt", b"Ahoy."), ("../../etc/passwd.txt", b"root"))
    assert (response.status_code, response.headers["location"]) == (303, PAGE)

    files = await all_files(db)
    assert [(file.filename, file.state, file.size) for file in files] == [
        ("notes.txt", FileState.READY, 5),
        ("passwd.txt", FileState.READY, 4),
    ]
    assert sorted(path.name for path in kept_paths(file_settings)) == sorted(file.key for file in files)
    assert all(len(file.key) == 48 for file in files)
    page = (await client.get(PAGE)).text
    assert "Your files are uploaded." in page
    assert "9 bytes of 3 MB" in page
    assert await actions_of(db) == ["files.uploaded", "files.uploaded"]


async def test_the_list_takes_five_statements_however_long_it_is(
    client: AsyncTestClient, db: AsyncSession, ada: User, statements: Statements
) -> None:
    await upload(client, *((f"{number}.txt", b"x") for number in range(5)))
    await client.get(PAGE)
    with statements() as executed:
        assert (await client.get(PAGE)).status_code == 200
    assert len(executed) <= 5, "\n".join(executed)


async def test_the_list_is_searched_and_comes_in_pages(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    await upload(client, *((f"chart_{number}.txt", b"x") for number in range(3)), ("100%.txt", b"x"))
    assert "chart_1" not in (await client.get(f"{PAGE}?search=100%25")).text
    assert "100%.txt" not in (await client.get(f"{PAGE}?search=CHART_")).text
    assert "No file matches" in (await client.get(f"{PAGE}?search=nothing")).text

    first = (await client.get(f"{PAGE}?limit=2")).text
    assert ("100%.txt" in first, "chart_2" in first, "chart_1" in first) == (True, True, False)
    cursor = first.partition("cursor=")[2].partition('"')[0]
    second = (await client.get(f"{PAGE}?limit=2&cursor={cursor}")).text
    assert ("chart_1" in second, "chart_0" in second, "chart_2" in second) == (True, True, False)
    assert (await client.get(f"{PAGE}?search=chart&cursor={cursor}")).status_code == 422


@pytest.mark.requirement("UPL-2")
async def test_one_bad_file_does_not_stop_the_others(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    response = await upload(client, ("good.txt", b"Ahoy."), ("bad.pdf", b"<script>alert(1)</script>"))

    assert response.status_code == 422
    assert "One file was not uploaded" in response.text
    assert "bad.pdf: The content is not what the name&#39;s ending says." in response.text
    assert "The other one is in the list." in response.text
    assert (await only_file(db)).filename == "good.txt"


async def test_without_a_file_the_form_says_so(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    for files in ([("files", ("", b"", "application/octet-stream"))], None):
        data = {"csrf_token": await csrf_token(client), "files": ""}
        response = await client.post(PAGE, data=data, files=files)
        assert response.status_code == 422
        assert "Choose at least one file." in response.text
    assert await all_files(db) == []


@pytest.mark.requirement("UPL-2", "UPL-3")
async def test_bombs_and_pictures_that_are_none_are_refused(
    client: AsyncTestClient, db: AsyncSession, file_settings: Settings, ada: User
) -> None:
    response = await upload(
        client, ("a.png", bomb(9000, 9000)), ("b.gif", b"GIF89a/*<script>*/=1;alert(1)"), ("c.jpg", picture("PNG"))
    )
    assert "3 files were not uploaded" in response.text
    assert (await all_files(db), kept_paths(file_settings)) == ([], [])


@pytest.mark.requirement("UPL-1")
async def test_the_quota_is_exact_and_what_does_not_fit_leaves_nothing(
    client: AsyncTestClient, db: AsyncSession, file_settings: Settings, ada: User
) -> None:
    assert (await upload(client, ("two.bin", bytes(2 * MEGABYTE)))).status_code == 303
    assert (await upload(client, ("one.bin", bytes(MEGABYTE)))).status_code == 303
    response = await upload(client, ("more.bin", b"x"))

    assert response.status_code == 422
    assert "not enough room left" in response.text
    assert len(await all_files(db)) == len(kept_paths(file_settings)) == 2
    async with system_scope(db):
        usage = (await db.scalars(select(FileUsage))).one()
        assert (usage.size, usage.files) == (3 * MEGABYTE, 2)
    page = (await client.get(PAGE)).text
    assert "3 MB of 3 MB" in page
    assert "Almost all room is used." in page


@pytest.mark.requirement("UPL-1")
async def test_far_more_than_there_is_room_for_is_refused_before_it_is_read(
    client: AsyncTestClient, db: AsyncSession, file_settings: Settings, ada: User
) -> None:
    response = await upload(client, ("huge.bin", bytes(4 * MEGABYTE)))
    assert response.status_code == 413
    assert "not enough room left" in response.text
    assert (await all_files(db), kept_paths(file_settings)) == ([], [])


@pytest.mark.requirement("CSR-1")
async def test_the_forms_token_is_checked_although_the_handler_reads_the_form(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    for token in ("", "wrong"):
        response = await upload(client, ("a.txt", b"x"), token=token)
        assert response.status_code == 403
    foreign = await client.post(
        PAGE,
        data={"csrf_token": await csrf_token(client)},
        files={"files": ("a.txt", b"x")},
        headers={"sec-fetch-site": "cross-site"},
    )
    assert foreign.status_code == 403
    assert await all_files(db) == []


async def test_erasing_deleted_files_frees_their_room_at_once_and_leaves_the_others(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await upload(client, ("keep.txt", b"x"))
    kept = await only_file(db)
    await upload(client, ("large.bin", bytes(2 * MEGABYTE + MEGABYTE // 2)))
    (large,) = [file for file in await all_files(db) if file.id != kept.id]
    assert await press(client, f"{PAGE}/{large.id}/delete") == 303
    page = (await client.get(PAGE)).text
    assert "2.5 MB of it are deleted files" in page
    assert f"{PAGE}/deleted/erase" in page
    assert "One deleted file takes 2.5 MB" in (await client.get(f"{PAGE}/deleted/erase")).text

    assert await press(client, f"{PAGE}/deleted/erase") == 303
    assert "One file is erased." in (await client.get(PAGE)).text
    assert [file.id for file in await all_files(db)] == [kept.id]
    assert (await upload(client, ("next.bin", bytes(2 * MEGABYTE)))).status_code == 303
    async with system_scope(db):
        removals = [removal.key for removal in await db.scalars(select(FileRemoval))]
        (event,) = await db.scalars(select(AuditEvent).where(AuditEvent.action == "files.erased"))
    assert removals == [large.key]
    assert event.changes == {"files": [1, 0]}
    assert "Nothing is deleted" in (await client.get(f"{PAGE}/deleted/erase")).text


async def test_programs_erase_deleted_files(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    await upload(client, ("plan.txt", b"x"))
    await press(client, f"{PAGE}/{(await only_file(db)).id}/delete")
    headers = {"x-csrf-token": await csrf_token(client)}
    erased = await client.delete("/api/v1/organizations/ada-lovelace/files/deleted", headers=headers)
    assert erased.status_code == 204
    assert await all_files(db) == []


async def test_a_deleted_file_can_be_brought_back_for_a_week(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await upload(client, ("plan.txt", b"x"))
    path = f"{PAGE}/{(await only_file(db)).id}"
    assert await press(client, f"{path}/delete") == 303
    page = (await client.get(PAGE)).text
    assert "plan.txt is deleted." in page
    assert f'action="{path}/restore"' in page
    assert "No files yet" in page
    assert (await client.get(f"{path}/download")).status_code == 404
    assert "Bring back" in (await client.get(f"{PAGE}?state=deleted")).text

    assert await press(client, f"{path}/restore") == 303
    page = (await client.get(PAGE)).text
    assert "plan.txt is back." in page
    assert await actions_of(db) == ["files.uploaded", "files.deleted", "files.restored"]

    await press(client, f"{path}/delete")
    await press(client, f"{path}/delete")
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1), tick=False):
        await log_in(client)
        await press(client, f"{path}/restore")
        assert "not among the deleted ones any more" in (await client.get(PAGE)).text
    assert (await only_file(db)).state == FileState.DELETED


async def test_what_is_held_back_is_listed_not_handed_out_and_does_not_come_back_as_harmless(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await upload(client, ("odd.txt", b"x"))
    file = await only_file(db)
    async with system_scope(db):
        file.state = FileState.QUARANTINED
    path = f"{PAGE}/{file.id}"

    assert "Held back" in (await client.get(PAGE)).text
    assert (await client.get(f"{path}/download")).status_code == 404
    await press(client, f"{path}/delete")
    await press(client, f"{path}/restore")
    assert (await only_file(db)).state == FileState.DELETED


@pytest.mark.requirement("TEN-2")
async def test_other_organizations_files_look_like_missing_ones(
    client: AsyncTestClient, grace: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await upload(client, ("secret.txt", b"x"))
    file = await only_file(db)
    for slug in ("ada-lovelace", "grace-hopper"):
        path = f"/o/{slug}/files/{file.id}"
        for part in ("download", "view"):
            assert (await grace.get(f"{path}/{part}")).status_code == 404
        for part in ("delete", "restore"):
            assert await press(grace, f"{path}/{part}") == 404
    assert (await upload(grace, ("x.txt", b"x"))).status_code == 404
    assert "secret.txt" not in (await grace.get("/o/grace-hopper/files")).text
    assert (await only_file(db)).state == FileState.READY


async def test_members_upload_and_those_who_run_the_organization_delete(
    client: AsyncTestClient, grace: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    person = (await db.scalars(select(User).where(User.name == "Grace Hopper"))).one()
    await add_member(db, await organization_of(db, ada), person, Role.MEMBER)
    assert (await upload(grace, ("mine.txt", b"x"))).status_code == 303
    page = (await grace.get(PAGE)).text
    file = await only_file(db)

    assert "Grace Hopper" in page
    assert "/delete" not in page
    assert await press(grace, f"{PAGE}/{file.id}/delete") == 403
    assert await press(client, f"{PAGE}/{file.id}/delete") == 303
    assert "Above your role" in (await grace.get(f"{PAGE}?state=deleted")).text


async def test_the_organizations_owner_is_told_how_many_files_would_go(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await upload(client, ("a.txt", b"x"), ("b.txt", b"x"))
    (await organization_of(db, ada)).kind = "team"
    await db.flush()
    assert "2 files" in (await client.get("/o/ada-lovelace/danger")).text
