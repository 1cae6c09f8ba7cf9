"""The language of the person served: chosen once per request, used by templates, forms and messages alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from gettext import NullTranslations

from app.time_zones import live_in
from app.translations import languages, load_catalogue, negotiate
from core.datastructures import Headers
from core.types import ASGIApp, Receive, Scope, Send

_catalogue: ContextVar[NullTranslations | None] = ContextVar("catalogue", default=None)
_locale: ContextVar[str] = ContextVar("locale", default="en")


def gettext(message: str) -> str:
    """The message in the reader's language; the message itself where no translation exists."""
    catalogue = _catalogue.get()
    return catalogue.gettext(message) if catalogue else message


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form of the message that goes with `count`, in the reader's language."""
    catalogue = _catalogue.get()
    if catalogue:
        return catalogue.ngettext(singular, plural, count)
    return singular if count == 1 else plural


def N_(message: str) -> str:  # noqa: N802 - gettext's customary name for "mark now, translate later".
    """Mark a message for extraction; it is translated where it is shown."""
    return message


def locale() -> str:
    """The reader's language as a BCP 47 tag, such as "en" or "de"."""
    return _locale.get()


def speak(tag: str) -> None:
    """Use the language `tag` for the rest of this task: a request, or the job that writes someone's e-mail."""
    _locale.set(tag)
    _catalogue.set(load_catalogue(tag))


@contextmanager
def speaking(tag: str | None) -> Iterator[None]:
    """Use the language `tag` until the block ends; without one, or with one that we do not speak, nothing changes."""
    if tag not in languages():
        yield
        return
    names, before = _locale.set(tag), _catalogue.set(load_catalogue(tag))
    try:
        yield
    finally:
        _locale.reset(names)
        _catalogue.reset(before)


class LanguageMiddleware:
    """Chooses the language of a request from its `Accept-Language` (RFC 9110 section 12.5.4), and UTC until a person is known."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            speak(negotiate(Headers(scope=scope).get("accept-language", "")))
            live_in(None)
        await self.app(scope, receive, send)
