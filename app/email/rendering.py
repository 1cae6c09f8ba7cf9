"""Messages from templates: a subject, a text and an HTML part, each written by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import css_inline
from jinja2 import Environment, select_autoescape

from app import language
from app.config import Settings
from app.jinja import Product, translated_environment


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
    names = {
        "locale": language.locale(),
        "product": Product.of(settings),
        "to_address": to_address,
        "unsubscribe_url": None,
        **context,
    }
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
    found = translated_environment(Environment, autoescape=select_autoescape(["html"], default=False))
    button = found.get_template("emails/layouts/button.html")
    found.globals["button"] = lambda url, text: button.module.button(url, text)  # type: ignore[attr-defined] # a macro
    return found


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    # Media queries cannot be inlined: the rules for dark mode and small screens stay in the head.
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
