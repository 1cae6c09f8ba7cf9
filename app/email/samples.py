"""Every message with invented contents: for the previews, and for the test that each renders in each language.

What a template needs is read from the template itself; what its names usually mean is below. A name that means something
unusual gets its sample in `SAMPLES = {"feature/message": {"name": value}}` of the feature's emails.py.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from jinja2 import Environment, meta

from app import features
from app.config import Settings
from app.email.rendering import RenderedMessage, environment, render_message
from app.jinja import TEMPLATES
from app.language import speaking
from app.templates import date, day

PARTS = ("subject.txt", "txt", "html")
SOMEBODY = "ada@example.com"
GIVEN = frozenset({"locale", "product", "to_address", "unsubscribe_url"})

# By the end of a name, as in `sessions_url`: the first that fits.
USUAL = {
    "url": "https://slipway.example/somewhere?token=Qk9uY2UgdXBvbiBhIHRpbWU",
    "code": "314159",
    "address": "ada@example.net",
    "email": "ada@example.net",
    "found_at": "https://code.example/harbour/boats/settings.py",
    "device": "Firefox on Linux",
    "place": "192.0.2.7",
    "organization": "Harbour & Sons",
    "team": "Harbour & Sons",
    "name": "Ada Lovelace",
    "who": "Grace Hopper",
    "owner": "Grace Hopper",
    "inviter": "Grace Hopper",
    "provider": "GitHub",
    "passkey": "Ada’s telephone",
    "token_name": "Deployments",
    "ending": "x7Qd",
    "role": "Member",
    "count": 3,
    "days": 14,
    "hours": 72,
    "minutes": 15,
    "left": 7,
    "message": "We would like you to have a look at our plans.",
}
# Times and days, in the words of the message's language.
MOMENT = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
MOMENTS, DAYS = ("at", "until"), ("date", "day")


def template_names() -> list[str]:
    """Every message of the product, as `send` names it: "feature/message"."""
    folder = TEMPLATES / "emails"
    files = (file for file in folder.rglob("*.subject.txt") if file.relative_to(folder).parts[0] != "layouts")
    return sorted(file.relative_to(folder).as_posix().removesuffix(".subject.txt") for file in files)


def render_sample(settings: Settings, template: str, language: str) -> RenderedMessage:
    """The message in a language, with invented contents."""
    with speaking(language):
        return render_message(settings, to_address=SOMEBODY, template=template, context=sample_of(template))


def sample_of(template: str) -> dict[str, Any]:  # Any: what templates take.
    """Something for every name that the template uses."""
    own = _samples().get(template, {})
    return {name: own[name] if name in own else _usual(name) for name in sorted(_names_in(template) | set(own))}


@lru_cache(maxsize=1)
def _samples() -> Mapping[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for _, module in features.modules("emails"):
        found |= getattr(module, "SAMPLES", {})
    return found


def _names_in(template: str) -> set[str]:
    found: set[str] = set()
    for suffix in PARTS:
        found |= _undeclared(environment(), f"emails/{template}.{suffix}")
    return found - GIVEN - set(environment().globals)


def _undeclared(jinja: Environment, file: str) -> set[str]:
    source = (TEMPLATES / file).read_text("utf-8")
    return meta.find_undeclared_variables(jinja.parse(source))


def _usual(name: str) -> object:
    last = name.rpartition("_")[2]
    if name not in USUAL and last in MOMENTS:
        return date(MOMENT, "long")
    if last in DAYS:
        return day(MOMENT)
    return USUAL.get(name, USUAL.get(last, name.replace("_", " ").capitalize()))
