"""Pages for who builds the product, not for who uses it; they exist outside production only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from inspect import getdoc

from app import policy
from app.jinja import TEMPLATES
from app.site.forms import SpecimenForm
from app.templates import render
from core.params import Submitted
from core.requests import Request
from core.responses import Response
from core.routing import BaseRoute


@dataclass(frozen=True)
class Address:
    """A line of the route map."""

    path: str
    methods: tuple[str, ...]
    name: str
    access: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Step:
    """A first step as components/steps.html shows it."""

    title: str
    text: str
    is_done: bool
    href: str = ""
    action: str = ""


LARGE_DRAWINGS = ("slipway", "lines_plan")
STEPS = (
    Step("Confirm your address", "So that we can reach you when it matters.", is_done=True),
    Step(
        "Name your organization",
        "It is what your colleagues look for.",
        is_done=False,
        href="#first-steps",
        action="Name it",
    ),
    Step("Invite a colleague", "Two see more than one.", is_done=False, href="#first-steps", action="Invite"),
)


async def components(request: Request) -> Response:
    """Show every component in every state."""
    refused = Submitted.blank(SpecimenForm, name="Ada", email="ada@", role="captain", notes="Two lines\nof text")
    refused.add_error("email", "Enter an e-mail address, such as name@example.com.")
    refused.add_error("role", "Choose one of the options.")
    refused.add_error("accepted", "Accept the terms to continue.")
    blank = Submitted.blank(SpecimenForm)
    return render(
        request,
        "site/components.html",
        blank=blank,
        refused=refused,
        steps=STEPS,
        icon_names=_names("icons/*.html"),
        sketches=[name for name in _names("drawings/*.svg") if name not in LARGE_DRAWINGS],
    )


async def route_map(request: Request) -> Response:
    """List every address of the application, with who may use it."""
    return render(request, "site/route_map.html", addresses=list(addresses(request.app.routes)))


def addresses(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[Address]:
    """Every route below `routes`, mounted ones included, in the order in which they are tried."""
    for route in routes:
        path = prefix + getattr(route, "path", "")
        below = getattr(route, "routes", None)
        if below:
            yield from addresses(below, path)
        else:
            yield _address(route, path)


def _names(pattern: str) -> list[str]:
    return sorted(path.stem for path in (TEMPLATES / "components").glob(pattern))


def _address(route: BaseRoute, path: str) -> Address:
    endpoint = getattr(route, "endpoint", None)
    return Address(
        path=path,
        methods=tuple(sorted(getattr(route, "methods", None) or ())),
        name=getattr(route, "name", None) or "",
        access=tuple(policy.access_of(route)),
        text=((endpoint and getdoc(endpoint)) or "").partition("\n")[0],
    )
