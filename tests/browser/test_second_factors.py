"""Second factors as a person uses them: an authenticator app, recovery codes, and passkeys with a virtual authenticator."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from playwright.sync_api import Browser, CDPSession, expect

from tests.browser.server import Server
from tests.browser.steps import PASSWORD, enter, link_in, log_in, log_out
from tests.browser.visitors import LOOKS, Visitor
from tests.browser.waiting import wait_for_removal

PHONE, DESK = LOOKS["mobile"]["viewport"], LOOKS["light"]["viewport"]
PATIENCE = 20_000  # Milliseconds, for a machine that does much at the same time.
RECOVERY_CODE = re.compile(r"^[0-9a-z]{4}(-[0-9a-z]{4}){3}$")


class FactorHolder(Visitor):
    """Looks closely once they have an account: at each page in light, in dark and at the width of a phone."""

    is_attentive = False

    def inspect(self) -> None:
        if not self.is_attentive:
            return
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        super().inspect()
        self.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        self.check_accessibility()
        self.page.set_viewport_size(PHONE)
        assert self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        self.page.set_viewport_size(DESK)


@pytest.fixture
def holder(browser: Browser, server: Server) -> Iterator[FactorHolder]:
    context = browser.new_context(**LOOKS["light"])
    # Browsers make no passkeys for an IP address, so this person uses the name of the machine.
    yield FactorHolder(context, replace(server, url=server.url.replace("127.0.0.1", "localhost")))
    context.close()


def set_up_app(visitor: Visitor) -> tuple[str, list[str]]:
    """Turn the app on; returns its secret and the recovery codes that were shown."""
    visitor.open("/account/two-factor")
    visitor.follow(visitor.page.get_by_role("link", name="Set up an app"))
    visitor.press("I have one: continue")
    secret = visitor.page.locator("#app-key code").inner_text().replace(" ", "")
    visitor.fill(code="000000")
    visitor.press("Turn on")
    expect(visitor.page.get_by_text("This code is not right").first).to_be_visible()
    visitor.fill(code=pyotp.TOTP(secret).now())
    visitor.press("Turn on")
    codes = visitor.page.locator(".recovery-codes li").all_inner_texts()
    assert len(codes) == 10
    assert all(RECOVERY_CODE.match(code) for code in codes)
    return secret, codes


def ask_for_removal_and_stop_it(visitor: Visitor, server: Server, address: str) -> None:
    """Say that every factor is lost, and stop it by the link in the message about that."""
    visitor.press("Ask for it")
    expect(visitor.page.get_by_text("You have asked for it")).to_be_visible()
    message = server.mail(address)[0]
    assert message["subject"] == "Somebody wants to remove your second factors"
    visitor.page.goto(message["links"][0].replace(server.url, visitor.server.url))
    visitor.inspect()
    visitor.press("Stop it")
    expect(visitor.page.get_by_text("Your second factors stay.")).to_be_visible()
    visitor.open("/log-in/two-factor/lost-access")


def authenticator_app_journey(visitor: Visitor, server: Server, address: str) -> None:
    secret, codes = set_up_app(visitor)
    assert server.mail(address)[0]["subject"] == "Two-step log-in is set up"
    visitor.follow(visitor.page.get_by_role("link", name="I have kept them"))
    expect(visitor.page.get_by_text("Your account is protected by two steps")).to_be_visible()

    log_out(visitor)
    log_in(visitor, address)
    expect(visitor.page).to_have_url(re.compile("/log-in/two-factor"))
    # The code of the next step, because this one's may have been used: clocks that go half a minute fast are accepted.
    visitor.fill(code=pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30)))
    visitor.press("Log in")
    expect(visitor.page).to_have_url(re.compile("/o/"))

    log_out(visitor)
    log_in(visitor, address)
    visitor.follow(visitor.page.get_by_role("link", name="I have none of these"))
    ask_for_removal_and_stop_it(visitor, server, address)
    visitor.follow(visitor.page.get_by_role("main").get_by_role("link", name="Use a recovery code"))
    visitor.fill(code=codes[0])
    visitor.press("Log in")
    expect(visitor.page).to_have_url(re.compile("/o/"))
    visitor.open("/account/two-factor")
    expect(visitor.page.get_by_text("9 of 10 left")).to_be_visible()


def test_an_authenticator_app_guards_the_log_in(holder: FactorHolder, server: Server, address: str) -> None:
    enter(holder, server, address)
    holder.is_attentive = True
    authenticator_app_journey(holder, server, address)


def test_the_app_and_the_codes_need_no_scripts(plain_visitor: Visitor, server: Server, address: str) -> None:
    enter(plain_visitor, server, address)
    authenticator_app_journey(plain_visitor, server, address)
    plain_visitor.open("/account/passkeys/new")
    expect(plain_visitor.page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.requirement("MFA-8")
def test_somebody_who_lost_every_factor_waits_and_gets_in_again(
    holder: FactorHolder, server: Server, address: str
) -> None:
    enter(holder, server, address)
    _, codes = set_up_app(holder)
    log_out(holder)
    log_in(holder, address)
    holder.is_attentive = True
    holder.follow(holder.page.get_by_role("link", name="I have none of these"))
    holder.press("Ask for it")
    expect(holder.page.get_by_text("You have asked for it")).to_be_visible()
    wait_for_removal(server, address)
    holder.page.reload()
    expect(holder.page.get_by_text("The waiting is over")).to_be_visible()
    holder.inspect()

    # By the mail, in a browser that knows nothing of all this.
    holder.page.context.clear_cookies()
    message = server.mail(address)[0]
    assert message["subject"] == "You can remove your second factors now"
    holder.page.goto(link_in(server, address, "/finish").replace(server.url, holder.server.url))
    holder.inspect()
    holder.fill(password="not the password")
    holder.press("Remove them")
    expect(holder.page.get_by_text("This is not").first).to_be_visible()
    holder.fill(password=PASSWORD)
    holder.press("Remove them")
    expect(holder.page.get_by_text("Your second factors are removed.")).to_be_visible()
    assert "removed" in server.mail(address)[0]["subject"]

    log_in(holder, address)
    expect(holder.page).to_have_url(re.compile("/o/"))
    _, new_codes = set_up_app(holder)
    assert set(codes).isdisjoint(new_codes)


def give_authenticator(visitor: Visitor) -> CDPSession:
    """A virtual authenticator in the browser (Chromium's WebAuthn domain), like a laptop's fingerprint reader."""
    devtools = visitor.page.context.new_cdp_session(visitor.page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools


def add_passkey(visitor: Visitor, name: str) -> None:
    visitor.open("/account/passkeys")
    visitor.follow(visitor.page.get_by_role("main").get_by_role("link", name="Add a passkey"))
    visitor.fill(name=name)
    visitor.page.get_by_role("button", name="Create passkey").click()
    expect(visitor.page.get_by_role("heading", name="Keep your recovery codes")).to_be_visible(timeout=PATIENCE)
    visitor.inspect()


@pytest.mark.requirement("PSK-1")
def test_a_passkey_is_made_logs_in_alone_and_is_removed(holder: FactorHolder, server: Server, address: str) -> None:
    give_authenticator(holder)
    enter(holder, server, address)
    holder.is_attentive = True
    add_passkey(holder, "My laptop")
    holder.open("/account/passkeys")
    expect(holder.page.get_by_text("My laptop").first).to_be_visible()

    # The field of the address offers the passkey by itself, and this authenticator takes every offer.
    holder.is_attentive = False
    log_out(holder)
    expect(holder.page).to_have_url(re.compile("/o/"), timeout=PATIENCE)
    holder.page.add_init_script("delete PublicKeyCredential.isConditionalMediationAvailable")  # As in an older browser.
    holder.is_attentive = True

    log_out(holder)
    holder.page.get_by_role("button", name="Log in with a passkey").click()
    expect(holder.page).to_have_url(re.compile("/o/"), timeout=PATIENCE)

    log_out(holder)
    log_in(holder, address)
    expect(holder.page).to_have_url(re.compile("/log-in/two-factor"))
    holder.page.get_by_role("button", name="Use a passkey").click()
    expect(holder.page).to_have_url(re.compile("/o/"), timeout=PATIENCE)

    holder.open("/account/passkeys")
    holder.follow(holder.page.get_by_role("link", name="Remove My laptop"))
    holder.page.get_by_role("button", name="Confirm with a passkey").click()
    expect(holder.page.get_by_role("heading", name="No passkeys yet")).to_be_visible(timeout=PATIENCE)
    assert holder.problems == []
