"""Every message of the product, in every language, light and dark, for those who write them. Development only."""

from typing import Annotated

from app.config import CurrentSettings
from app.email import samples
from app.email.handlers import MESSAGE_HEADERS
from app.templates import render
from app.translations import languages
from core.exceptions import HTTPException
from core.params import Query
from core.requests import Request
from core.responses import HTMLResponse, Response

Language = Annotated[str, Query("language")]
Scheme = Annotated[str, Query("scheme")]

DARK_ONLY = "@media (prefers-color-scheme: dark)"
SCHEMES = {"light": "@media not all", "dark": "@media all"}


async def previews(request: Request) -> Response:
    """List the messages."""
    return render(request, "email/previews.html", names=samples.template_names(), languages=sorted(languages()))


async def preview(
    request: Request, settings: CurrentSettings, template: str, language: Language = "en", scheme: Scheme = "light"
) -> Response:
    """Show one message: as a mail program shows it, and its text part."""
    _require_known(template, language, scheme)
    return render(
        request,
        "email/preview.html",
        template_name=template,
        message=samples.render_sample(settings, template, language),
        language=language,
        languages=sorted(languages()),
        scheme=scheme,
        schemes=sorted(SCHEMES, reverse=True),
    )


async def preview_html(
    settings: CurrentSettings, template: str, language: Language = "en", scheme: Scheme = "light"
) -> Response:
    """The HTML part alone, for the frame on the page, in the chosen scheme whatever the browser's is."""
    _require_known(template, language, scheme)
    html = samples.render_sample(settings, template, language).html
    return HTMLResponse(html.replace(DARK_ONLY, SCHEMES[scheme]), headers=MESSAGE_HEADERS)


def _require_known(template: str, language: str, scheme: str) -> None:
    if template not in samples.template_names() or language not in languages() or scheme not in SCHEMES:
        raise HTTPException(404)
