"""A person's own pages in the browser: address, profile, data, leaving."""

import io
import re
import time
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.app.test_images import picture
from tests.browser.server import Server
from tests.browser.steps import OTHER_PASSWORD, PASSWORD, enter, link_in, log_in, replace_password
from tests.browser.visitors import Visitor

WORKER_SECONDS = 20


@pytest.fixture
def grace(visitor: Visitor, server: Server, address: str) -> Visitor:
    """Somebody who has just logged in."""
    enter(visitor, server, address)
    return visitor


def change_and_undo_address(visitor: Visitor, server: Server, address: str) -> None:
    new = f"new-{address}"
    visitor.open("/account/emails/add")
    visitor.fill(email=new)
    visitor.page.get_by_role("checkbox").check()
    visitor.press("Send the link")
    visitor.page.goto(link_in(server, new, "/account/emails/confirm"))
    visitor.inspect()
    visitor.press("Confirm address")
    expect(visitor.page.get_by_role("row").filter(has_text=new)).to_contain_text("Primary")
    visitor.page.goto(link_in(server, address, "/account/emails/undo"))
    visitor.inspect()
    visitor.press("Take the change back")
    expect(visitor.page).to_have_url(re.compile("/forgot-password"))
    # Whoever made the change knew the password, so that is gone.
    replace_password(visitor, server, address, OTHER_PASSWORD)
    visitor.open("/account/emails")
    assert visitor.heading() == "E-mail addresses"
    expect(visitor.page.get_by_role("main")).not_to_contain_text(new)


@pytest.mark.parametrize("look", ["mobile"], indirect=True)
def test_an_address_is_changed_and_the_change_taken_back(grace: Visitor, server: Server, address: str) -> None:
    change_and_undo_address(grace, server, address)


@pytest.mark.parametrize("look", ["dark"], indirect=True)
def test_a_profile_is_changed_with_a_picture_in_another_language_and_theme(grace: Visitor, tmp_path: Path) -> None:
    photo = tmp_path / "me.png"
    photo.write_bytes(picture(size=(300, 200)))
    grace.open("/account/profile")
    grace.page.locator('[name="picture"]').set_input_files(photo)
    expect(grace.page.locator("canvas")).to_be_visible()
    grace.page.locator("canvas").press("ArrowLeft")
    grace.press("Save picture")
    expect(grace.page.locator("main img.avatar")).to_be_visible()
    grace.fill(name="Grace Hopper", time_zone="Europe/Berlin")
    grace.page.locator('[name="locale"]').select_option("de")
    grace.page.locator('[name="theme"]').select_option("dark")
    grace.press("Save")
    assert grace.heading() == "Profil"
    expect(grace.page.locator("html")).to_have_attribute("data-theme", "dark")
    grace.open("/account/activity")
    expect(grace.page.get_by_role("main")).to_contain_text("Sie haben Ihr Profil geändert")


def take_data_and_leave(visitor: Visitor, server: Server, address: str, password: str = PASSWORD) -> None:
    visitor.open("/account/export")
    visitor.press("Put my data together")
    wait_for_mail(server, address, "Your data is ready")
    visitor.open("/account/export")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download").click()
    content = Path(download.value.path()).read_bytes()
    assert "accounts.json" in zipfile.ZipFile(io.BytesIO(content)).namelist()

    visitor.open("/account/delete")
    visitor.fill(email=address)
    visitor.press("Delete account")
    expect(visitor.page).to_have_url(re.compile("/log-in"))
    visitor.page.goto(link_in(server, address, "/account/keep"))
    visitor.inspect()
    visitor.press("Keep the account")
    log_in(visitor, address, password)
    expect(visitor.page).to_have_url(re.compile("/o/"))


def wait_for_mail(server: Server, address: str, subject: str) -> None:
    """The worker is a process of its own, which takes a moment."""
    deadline = time.monotonic() + WORKER_SECONDS
    while time.monotonic() < deadline:
        if any(message["subject"] == subject for message in server.mail(address)):
            return
        time.sleep(0.1)
    raise AssertionError(f"{subject!r} was not written to {address}")


@pytest.mark.parametrize("look", ["light"], indirect=True)
def test_somebody_takes_their_data_leaves_and_comes_back(grace: Visitor, server: Server, address: str) -> None:
    take_data_and_leave(grace, server, address)


def test_all_of_it_works_without_scripts(plain_visitor: Visitor, server: Server, address: str, tmp_path: Path) -> None:
    enter(plain_visitor, server, address)
    photo = tmp_path / "me.png"
    photo.write_bytes(picture(size=(300, 200)))
    plain_visitor.open("/account/profile")
    plain_visitor.page.locator('[name="picture"]').set_input_files(photo)
    plain_visitor.press("Save picture")
    expect(plain_visitor.page.locator("main img.avatar")).to_be_visible()
    change_and_undo_address(plain_visitor, server, address)
    take_data_and_leave(plain_visitor, server, address, OTHER_PASSWORD)


@pytest.mark.parametrize("look", ["mobile"], indirect=True)
def test_the_strength_of_a_password_is_said_while_it_is_typed(visitor: Visitor) -> None:
    visitor.open("/sign-up")
    field = visitor.page.locator('[name="password"]')
    field.press_sequentially("password1234")
    expect(visitor.page.locator("[data-strength-text]")).to_contain_text("first that attackers try")
    field.fill(PASSWORD)
    expect(visitor.page.locator("[data-strength-text]")).to_have_text("Strong")
    visitor.check_accessibility()
