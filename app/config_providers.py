"""Who else may say who somebody is: the log-in providers that the settings switch on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from core.datastructures import Secret

GOOGLE = "https://accounts.google.com"
GITHUB = "https://github.com"
MICROSOFT = "https://login.microsoftonline.com/{tenant}/v2.0"
LOCAL_PATH = "/dev/openid"
LOCAL_CLIENT = "slipway"

# What each provider cannot do without: client id and secret, and for an issuer of one's own its address.
VARIABLES = {
    "google": ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
    "microsoft": ("MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET"),
    "github": ("GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"),
    "openid": ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ISSUER"),
}

# Reads one variable: its name, and what it is without being set.
Text = Callable[..., str]


@dataclass(frozen=True, kw_only=True)
class LogInProvider:
    """A provider as the settings describe it. `key` is its part of our addresses, `name` what people call it."""

    key: str
    name: str
    issuer: str
    client_id: str
    client_secret: Secret = field(repr=False)

    @property
    def speaks_openid(self) -> bool:
        """GitHub alone has no ID tokens: who somebody is, is asked of its API."""
        return self.issuer != GITHUB


def read_providers(text: Text, *, base_url: str, local_secret: Secret | None) -> tuple[LogInProvider, ...]:
    """The providers whose client id is set, in the order of the buttons; with `local_secret` the one for development."""
    microsoft = MICROSOFT.replace("{tenant}", text("MICROSOFT_TENANT", "common"))
    described = [
        ("google", "Google", GOOGLE),
        ("microsoft", "Microsoft", microsoft),
        ("github", "GitHub", GITHUB),
        ("openid", text("OIDC_NAME", "Single sign-on"), text("OIDC_ISSUER")),
    ]
    found = [
        LogInProvider(
            key=key,
            name=name,
            issuer=issuer,
            client_id=text(VARIABLES[key][0]),
            client_secret=Secret(text(VARIABLES[key][1])),
        )
        for key, name, issuer in described
        if text(VARIABLES[key][0])
    ]
    return (*found, *([local_provider(base_url, local_secret)] if local_secret else []))


def local_provider(base_url: str, secret: Secret) -> LogInProvider:
    """The provider that runs within the product while it is developed."""
    return LogInProvider(
        key="local", name="Slipway ID", issuer=base_url + LOCAL_PATH, client_id=LOCAL_CLIENT, client_secret=secret
    )


def provider_problems(text: Text, *, is_production: bool) -> Iterator[str]:
    """Why a provider that was meant to be switched on could not work."""
    for names in VARIABLES.values():
        missing = [name for name in names if not text(name)]
        if 0 < len(missing) < len(names):
            yield f"{' and '.join(missing)} is missing: a log-in provider needs {', '.join(names)}."
    issuer = text("OIDC_ISSUER")
    if issuer and not _is_issuer(issuer, is_production=is_production):
        yield "OIDC_ISSUER must begin with https:// and have no query, such as https://login.example.com."


def _is_issuer(issuer: str, *, is_production: bool) -> bool:
    """OpenID Connect Core section 1.2; while developing, a provider on this machine needs no certificate."""
    try:
        parts = urlsplit(issuer)
    except ValueError:
        return False
    is_near = not is_production and is_loopback(parts.hostname or "")
    has_scheme = parts.scheme == "https" or (parts.scheme == "http" and is_near)
    return has_scheme and bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
