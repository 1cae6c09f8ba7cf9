"""The public site, and the addresses that browsers, search engines and researchers look for."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from babel import Locale
from babel.numbers import format_currency

from app import clock, language
from app.accounts.dependencies import optional_user
from app.config import Settings, current_settings
from app.pages import see
from app.site import content
from app.templates import render
from app.translations import languages
from core.exceptions import HTTPException
from core.params import Depends, depends_on
from core.requests import Request
from core.responses import PlainTextResponse, Response

MINOR_UNITS = 100
SITEMAP = ("/", "/pricing", *(f"/legal/{page}" for page in content.LEGAL_PAGES))
PRIVATE = ("/o/", "/account/", "/staff/", "/dev/", "/api/")
SECURITY_CONTACT_VALID = timedelta(days=180)  # RFC 9116 section 2.5.5 advises less than a year.


@depends_on(Depends(optional_user))
async def landing(request: Request) -> Response:
    """Say what the product is, and show it."""
    return render(request, "site/landing.html", landing=content.load_landing(), **_words(request))


@depends_on(Depends(optional_user))
async def pricing(request: Request) -> Response:
    """Compare the plans."""
    return render(request, "site/pricing.html", **_words(request))


@depends_on(Depends(optional_user))
async def legal(request: Request, page: str) -> Response:
    """Show the terms or the privacy policy."""
    html = content.find_legal_page(page, language.locale(), current_settings(request))
    if html is None:
        raise HTTPException(404)
    return render(request, "site/legal.html", page=page, html=html)


async def robots(request: Request) -> Response:
    """Tell crawlers (RFC 9309) what is not for them, and where the public pages are listed."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in PRIVATE),
        f"Sitemap: {_absolute(request, '/sitemap.xml')}",
    ]
    return PlainTextResponse("\n".join(lines) + "\n")


async def sitemap(request: Request) -> Response:
    """List the public pages as sitemaps.org describes it."""
    pages = "".join(f"<url><loc>{_absolute(request, path)}</loc></url>" for path in SITEMAP)
    document = f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{pages}</urlset>'
    return Response(document, media_type="application/xml")


async def security_txt(request: Request) -> Response:
    """Say where to report a vulnerability (RFC 9116)."""
    expires = (clock.now() + SECURITY_CONTACT_VALID).replace(hour=0, minute=0, second=0, microsecond=0)
    return PlainTextResponse(
        f"Contact: mailto:{current_settings(request).support_email}\n"
        f"Expires: {expires.strftime('%Y-%m-%dT%H:%M:%SZ')}\n"
        f"Preferred-Languages: {', '.join(languages())}\n"
        f"Canonical: {_absolute(request, '/.well-known/security.txt')}\n"
    )


async def change_password(request: Request) -> Response:
    """Lead password managers to the page that changes a password (W3C, A Well-Known URL for Changing Passwords)."""
    return see(request, "passwords.forgot_password")


def _words(request: Request) -> dict[str, Any]:
    """The plans, and what the pages need to write prices and names into their texts."""
    catalogue = content.load_catalogue()
    return {
        "catalogue": catalogue,
        "price": partial(_price, currency=catalogue.currency),
        "say": partial(_say, settings=current_settings(request)),
    }


def _say(text: str, settings: Settings) -> str:
    """A text of the content files in the reader's language, with the settings' names filled in."""
    return content.fill_in(language.gettext(text), settings)


def _price(minor_units: int, currency: str) -> str:
    """An amount as the reader writes it, without ".00" where there are no cents."""
    amount = Decimal(minor_units) / MINOR_UNITS
    pattern = str(Locale.parse(language.locale()).currency_formats["standard"].pattern)
    if amount == amount.to_integral_value():
        pattern = pattern.replace(".00", "")
    return str(format_currency(amount, currency, pattern, locale=language.locale(), currency_digits=False))


def _absolute(request: Request, path: str) -> str:
    return current_settings(request).base_url + path
