"""The people in the journeys, each at a browser and in a network of their own."""

from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page

from tests.browser import accessibility
from tests.browser.server import Server
from tests.networks import network

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "mobile": {"viewport": {"width": 375, "height": 812}, "color_scheme": "light", "has_touch": True},
}
# axe sets styles on elements to measure them, which the policy reports too: what counts is what came before.
COLLECT_REFUSALS = """
window.refusals = [];
document.addEventListener("securitypolicyviolation", (refusal) =>
  window.refusals.push(`${refusal.effectiveDirective} ${refusal.blockedURI} ${refusal.sourceFile}:${refusal.lineNumber}`));
"""
LOOK_AROUND = """() => ({
  refusals: window.refusals,
  headings: document.querySelectorAll("h1").length,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
})"""


class Visitor:
    """A person at a browser: keeps a page, and what went wrong in it that a person would not see."""

    def __init__(self, context: BrowserContext, server: Server) -> None:
        self.server = server
        # The product slows down a network from which as many people sign up as all tests together.
        context.set_extra_http_headers(network(next(server.visitors)))
        self.page: Page = context.new_page()
        self.page.add_init_script(COLLECT_REFUSALS)
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))
        self.page.on("console", lambda message: self._note(message.type, message.text))

    def _note(self, kind: str, text: str) -> None:
        # A status such as 422 is the expected answer of some steps.
        if kind == "error" and "Failed to load resource" not in text and "Content Security Policy" not in text:
            self.problems.append(f"{self.page.url}: {text}")

    def open(self, path: str) -> None:
        self.page.goto(f"{self.server.url}{path}")
        self.inspect()

    def fill(self, **fields: str) -> None:
        for label, value in fields.items():
            self.page.locator(f'main [name="{label}"]').fill(value)

    def press(self, name: str) -> None:
        """Press the button `name` in the page's main part, which leads to another page, and inspect that."""
        self.follow(self.page.get_by_role("main").get_by_role("button", name=name, exact=True))

    def follow(self, control: Locator) -> None:
        """Click what leads to another page, wait until that is there, and inspect it."""
        with self.page.expect_navigation():
            control.click()
        self.inspect()

    def inspect(self) -> None:
        """What holds for every page: accessible, one heading, no sideways scrolling, nothing refused by the policy."""
        self.page.wait_for_load_state("load")
        found = self.page.evaluate(LOOK_AROUND)
        assert not self.problems, self.problems
        assert not found["refusals"], f"{self.page.url}: the policy refused {found['refusals']}"
        assert found["headings"] == 1, f"{self.page.url} has {found['headings']} headings of the first level"
        assert found["overflow"] <= 0, f"{self.page.url} scrolls sideways by {found['overflow']} px"
        self.check_accessibility()

    def check_accessibility(self) -> None:
        """Let axe look at the page, unless it has seen one of the same skeleton and look."""
        skeleton = accessibility.skeleton(self.page)
        if skeleton not in self.server.accessible:
            found = accessibility.violations(self.page)
            assert not found, "\n".join(found)
            self.server.accessible.add(skeleton)

    def heading(self) -> str:
        return self.page.locator("h1").inner_text()


class PlainVisitor(Visitor):
    """Someone whose browser runs no scripts; axe cannot look at their pages, so they only count headings."""

    def inspect(self) -> None:
        self.page.wait_for_load_state("load")
        assert self.page.locator("h1").count() == 1, f"{self.page.url} has not one heading of the first level"
        assert not self.problems, self.problems
