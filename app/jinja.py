"""What the templates of pages and of messages have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app import language
from app.config import ROOT, Settings

TEMPLATES = ROOT / "templates"

EnvironmentT = TypeVar("EnvironmentT", bound=Environment)


@dataclass(frozen=True)
class Product:
    """What is said of the thing that is sold. `url` is its first page."""

    name: str
    tagline: str
    company: str
    support_email: str
    url: str

    @classmethod
    def of(cls, settings: Settings) -> "Product":
        return cls(
            settings.product_name,
            settings.product_tagline,
            settings.company_name,
            settings.support_email,
            f"{settings.base_url}/",
        )


def translated_environment(
    kind: type[EnvironmentT], *, autoescape: bool | Callable[[str | None], bool]
) -> EnvironmentT:
    """An environment of this kind in which an unknown name is an error, and texts go through gettext."""
    found = kind(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    install: Callable[..., None] = found.install_gettext_callables  # type: ignore[attr-defined] # added by the extension
    install(language.gettext, language.ngettext, newstyle=True)
    return found
