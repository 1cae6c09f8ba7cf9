"""Working on projects in a browser: start one, find it, meet a conflict, delete it and think better of it, import a file."""

import secrets

from playwright.sync_api import expect

from tests.browser.server import Server
from tests.browser.steps import enter_demonstration
from tests.browser.visitors import Visitor

LONGEST = 30_000  # Milliseconds until the worker has done its part, on a busy machine.


def test_projects_are_started_found_changed_deleted_and_brought_back(visitor: Visitor, server: Server) -> None:
    mark = secrets.token_hex(3)
    enter_demonstration(visitor)
    projects = "/o/demo/projects"
    visitor.open(projects)
    visitor.open(f"{projects}/new")
    visitor.press("Start project")
    expect(visitor.page.locator("#field-name-error")).to_be_visible()
    visitor.fill(name=f"Boat {mark}", due_on="2030-12-31")
    visitor.press("Start project")
    assert visitor.heading() == f"Boat {mark}"

    visitor.open(f"{projects}?search={mark}&sort=due")
    visitor.page.get_by_role("link", name=f"Boat {mark}").click()
    visitor.page.get_by_role("link", name="Edit", exact=True).click()
    meet_conflict(visitor, mark)
    delete_and_undo(visitor, mark)
    import_file(visitor, projects, mark)


def meet_conflict(visitor: Visitor, mark: str) -> None:
    """Save what a second window has changed in the meantime."""
    other = visitor.page.context.new_page()
    other.goto(visitor.page.url)
    other.locator('main [name="description"]').fill("Theirs")
    with other.expect_navigation():
        other.get_by_role("button", name="Save", exact=True).click()
    other.close()
    visitor.fill(description="Mine")
    visitor.press("Save")
    expect(visitor.page.get_by_role("region", name="What differs")).to_contain_text("Theirs")
    visitor.press("Save mine")
    expect(visitor.page.get_by_role("main")).to_contain_text("Mine")


def delete_and_undo(visitor: Visitor, mark: str) -> None:
    visitor.press("Delete")
    visitor.follow(visitor.page.get_by_role("button", name="Undo"))
    assert visitor.heading() == f"Boat {mark}"


def import_file(visitor: Visitor, projects: str, mark: str) -> None:
    visitor.open(f"{projects}/import")
    table = f"name;status\nCable {mark};active\nDock {mark};gone\n"
    visitor.page.locator("#field-file").set_input_files(
        {"name": "projects.csv", "mimeType": "text/csv", "buffer": table.encode()}
    )
    visitor.press("Check the file")
    expect(visitor.page.get_by_role("main")).to_contain_text("1 line has a mistake.")
    visitor.page.get_by_role("link", name="Choose another file").click()
    visitor.page.locator("#field-file").set_input_files(
        {"name": "projects.csv", "mimeType": "text/csv", "buffer": table.replace("gone", "done").encode()}
    )
    visitor.press("Check the file")
    visitor.press("Import 2 projects")
    # The worker does it, and the page shows that by itself.
    result = visitor.page.get_by_role("link", name="Show the result")
    expect(result).to_be_visible(timeout=LONGEST)
    visitor.inspect()
    result.click()
    visitor.open(f"{projects}?search={mark}&status=done")
    assert visitor.page.get_by_role("row").count() == 2
    visitor.open(f"{projects}?search=nothing-{mark}")
    visitor.open(f"{projects}/deleted")
