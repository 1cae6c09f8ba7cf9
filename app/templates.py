"""Pages: the Jinja2 environment, what every template may use, and `render`."""

import math
import operator
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import date as Date  # noqa: N812 - `date` is a filter's name here.
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any

import babel.dates
from jinja2 import Environment
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Call, Expr
from markupsafe import Markup, escape

from app import clock, features, language, time_zones
from app.config import Settings
from app.jinja import TEMPLATES, Product, translated_environment
from app.pages import path_of
from app.terms import TERMS_VERSION
from core.middleware.csrf import csrf_token
from core.middleware.security import csp_nonce
from core.params import Submitted
from core.requests import Request
from core.responses import HTMLResponse

# Below how many seconds Babel changes its words for a time only at multiples of how many: it counts in minutes from 51 seconds
# on, in hours from 51 minutes on, and so forth. So much is the same for many rows, and remembered.
STEPS = ((51, 1), (51 * 60, 3), (0.85 * 86_400, 180), (math.inf, 1080))
FLASHES = "flashes"


def flash(request: Request, text: str, level: str = "success", *, undo: str | None = None) -> None:
    """Say `text` on the next page that this person sees. Levels: "success", "info", "warning", "danger".

    `undo` is the path that a button beside it posts to, to take back what was done.
    """
    waiting = request.session.get(FLASHES, [])
    said = {"level": level, "text": text, **({"undo": undo} if undo else {})}
    request.session[FLASHES] = [*waiting, said]


def render(
    request: Request,
    name: str,
    *,
    status_code: int | None = None,
    headers: Mapping[str, str] | None = None,
    form: Submitted[Any] | None = None,
    **context: Any,
) -> HTMLResponse:
    """Show the template `name`. Without `status_code` a form with errors answers 422, anything else 200.

    Pages that name a person or belong to one are never stored by a cache.
    """
    status = status_code or (422 if form is not None and form.errors else 200)
    shared = page_context(request)
    response_headers = dict(headers or {})
    if shared["user"] is not None or form is not None:
        response_headers.setdefault("cache-control", "no-store")
    content = environment().get_template(name).render({**shared, "form": form, **context})
    return HTMLResponse(content, status, response_headers)


def page_context(request: Request) -> dict[str, Any]:
    """What every template may use besides what its handler gives it."""
    settings: Settings = request.app.state.settings
    user, scope = getattr(request.state, "user", None), getattr(request.state, "scope", None)
    token = csrf_token(request)
    return {
        "request": request,
        "settings": settings,
        "product": Product.of(settings),
        "locale": language.locale(),
        "user": user,
        "scope": scope,
        "navigation": _navigation(scope) if scope else [],
        "organizations": getattr(request.state, "organizations", ()),
        "pending_invitations": getattr(request.state, "pending_invitations", 0),
        "unread_notifications": getattr(request.state, "unread_notifications", 0),
        "live_since": getattr(request.state, "live_since", 0),
        "account_navigation": features.account_navigation() if user and not scope else (),
        "csp_nonce": csp_nonce(request),
        "csrf_token": token,
        "csrf_field": partial(_csrf_field, token),
        "flashes": request.session.pop(FLASHES, []) if "session" in request.scope else [],
        "static": request.app.state.static.url,
        "url": partial(path_of, request),
        "now": clock.now(),
        "terms_version": TERMS_VERSION,
    }


class PlainCodeGenerator(CodeGenerator):
    """Has what is markup already written as it is: macros and translations are, which is half of a page's pieces."""

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: Any) -> None:  # Any: its type has no public name.
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.escaped(")
        else:
            super()._output_child_pre(node, frame, finalize)

    def visit_Call(self, node: Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802 - Jinja2 calls it.
        """Call functions as they are.

        Jinja2 looks at each first whether it asks for the context: none of ours does, and a page calls hundreds.
        """
        self.write("environment.call(")
        self.visit(node.node, frame)
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        self.write(")")


class Pages(Environment):
    """The environment of pages, with what their code calls for each of their pieces."""

    code_generator_class = PlainCodeGenerator
    call = operator.call

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Those of the environment for every template, which is given none of its own: looking through both takes longer."""
        assert not d
        return self.globals

    @staticmethod
    def escaped(value: object) -> str:
        """What `markupsafe.escape` says, which copies markup."""
        return value if type(value) is Markup else escape(value)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The Jinja2 environment: autoescape everywhere, an unknown name is an error, texts through gettext."""
    found = translated_environment(Pages, autoescape=True)
    found.globals.update(_=_translated, gettext=_translated, ngettext=_translated_plural, drawing=drawing)
    found.globals.update(icons=SimpleNamespace(icon=partial(_icon, "icon"), mark=partial(_icon, "mark")))
    found.filters.update(relative_time=relative_time, date=date, day=day, iso=iso)
    return found


def _translated(message: str, **variables: object) -> Markup:
    """What Jinja2's own `gettext` says, which looks the same things up again for each of a page's dozens of texts."""
    if not variables:
        return _text(language.locale(), message)
    return Markup(language.gettext(message)) % variables  # noqa: S704 - messages are ours, variables are escaped.


def _translated_plural(singular: str, plural: str, num: int, **variables: object) -> Markup:
    return Markup(language.ngettext(singular, plural, num)) % {"num": num, **variables}  # noqa: S704 - as above.


@lru_cache(maxsize=8192)
def _text(_locale: str, message: str) -> Markup:
    return Markup(language.gettext(message)) % {}  # noqa: S704 - as above.


@lru_cache(maxsize=1024, typed=True)  # Typed: markup and text that look alike are not.
def _icon(macro: str, /, *arguments: str, **options: str | None) -> Markup:
    """What this macro of components/icon.html makes, made once: a page has dozens, and they are alike on all pages."""
    made: Markup = getattr(environment().get_template("components/icon.html").module, macro)(*arguments, **options)
    return made


@lru_cache(maxsize=256)
def drawing(name: str) -> Markup:
    """The lines of an icon; those of an anchor for a name that has none."""
    file = TEMPLATES / "components/icons" / f"{name}.html"
    return Markup((file if file.is_file() else file.with_name("anchor.html")).read_text().strip())  # noqa: S704 - ours.


def relative_time(at: datetime) -> str:
    """How long ago (or in how long) `at` is, in the reader's language: "3 hours ago"."""
    seconds = math.floor((at - clock.now()).total_seconds())
    step = next(step for below, step in STEPS if abs(seconds) < below)
    return _relative_time(math.trunc(seconds / step), step, language.locale())


@lru_cache(maxsize=4096)
def _relative_time(steps: int, step: int, locale: str) -> str:
    # In the middle of a step, where nothing is about to change.
    seconds = (steps + math.copysign(0.5, steps)) * step if step > 1 else steps
    return babel.dates.format_timedelta(timedelta(seconds=seconds), add_direction=True, locale=locale)


def date(at: datetime, form: str = "medium") -> str:
    """The day and time of `at` in the reader's zone and language."""
    return _date(at.replace(microsecond=0), form, time_zones.zone(), language.locale())


@lru_cache(maxsize=4096)
def _date(at: datetime, form: str, zone: tzinfo, locale: str) -> str:
    return babel.dates.format_datetime(at.astimezone(zone), form, tzinfo=zone, locale=locale)


def day(on: Date) -> str:
    """A day in the reader's language. It has no zone: it is the same day everywhere."""
    return babel.dates.format_date(on, locale=language.locale())


def iso(at: datetime) -> str:
    """`at` as RFC 3339 writes it, for <time datetime> and scripts."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _csrf_field(token: str) -> Markup:
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(token) if token else Markup("")


def _navigation(scope: Any) -> list[features.NavigationItem]:
    return [item for item in features.navigation() if scope.allows(item.permission)]
