"""Whom passkeys are made for: this installation, named by the host of its BASE_URL (WebAuthn level 3, section 5.1.2)."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.config import Settings


@dataclass(frozen=True)
class RelyingParty:
    """`id` is the domain that passkeys belong to, `origin` the only address at which they are made and used."""

    id: str
    name: str
    origin: str

    @classmethod
    def of(cls, settings: Settings) -> "RelyingParty":
        """The relying party of an installation. Browsers take no IP address for one, so a loopback address is "localhost"."""
        address = urlsplit(settings.base_url)
        host = address.hostname or ""
        if not _is_loopback(host):
            return cls(host, settings.product_name, settings.base_url)
        port = f":{address.port}" if address.port else ""
        return cls("localhost", settings.product_name, f"{address.scheme}://localhost{port}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
