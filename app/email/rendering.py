"""Messages from templates: a subject, a text and an HTML part, each written by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app import language
from app.config import Settings
from app.email.links import absolute

TEMPLATES = Path(__file__).parent.parent.parent / "templates"


@dataclass(frozen=True)
class RenderedMessage:
    """The three parts of a message in the language that was spoken when it was rendered."""

    subject: str
    text: str
    html: str
    locale: str


def render_message(
    settings: Settings, *, to_address: str, template: str, context: Mapping[str, Any]
) -> RenderedMessage:
    """Render `templates/emails/<template>.{subject.txt,txt,html}`. Raises jinja2's errors for a missing part or name."""
    names = {**_shared_context(settings), "to_address": to_address, "unsubscribe_url": None, **context}
    parts = {
        suffix: environment().get_template(f"emails/{template}.{suffix}").render(names)
        for suffix in ("subject.txt", "txt", "html")
    }
    return RenderedMessage(
        # A subject is one line: a line break in it would begin another header.
        subject=" ".join(parts["subject.txt"].split()),
        text=parts["txt"].strip() + "\n",
        html=_inliner().inline(parts["html"]),
        locale=language.locale(),
    )


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The Jinja2 environment of messages: HTML is escaped, text is not, an unknown name is an error."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    install: Callable[..., None] = found.install_gettext_callables  # type: ignore[attr-defined] # added by the extension
    install(language.gettext, language.ngettext, newstyle=True)
    button = found.get_template("emails/layouts/button.html")
    found.globals["button"] = lambda url, text: button.module.button(url, text)  # type: ignore[attr-defined] # a macro
    return found


def _shared_context(settings: Settings) -> dict[str, Any]:
    return {
        "locale": language.locale(),
        "product": {
            "name": settings.product_name,
            "tagline": settings.product_tagline,
            "company": settings.company_name,
            "support_email": settings.support_email,
            "url": absolute(settings, "/"),
        },
    }


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    # Media queries cannot be inlined: the rules for dark mode and small screens stay in the head.
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
