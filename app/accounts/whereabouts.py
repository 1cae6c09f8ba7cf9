"""Which device and which place a request came from, in words that its owner recognizes."""

import ipaddress

from app.language import gettext as _
from app.throttle import network_of

# What programs call themselves in their user agent (RFC 9110 section 10.1.5). Most name others as well, for the sake of old
# sites: the first that matches is meant.
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-httpx", "Python"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
# RFC 1918, RFC 3927, RFC 4193 and RFC 4291 section 2.5.6: networks of a house or a company, the same numbers everywhere.
_PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)


def device_name(user_agent: str | None) -> str:
    """The device behind a user agent, such as "Firefox on Windows". It says what the client claims, no more."""
    program, system = _first(_PROGRAMS, user_agent), _first(_SYSTEMS, user_agent)
    if program and system:
        return _("%(program)s on %(system)s") % {"program": program, "system": system}
    return program or system or _("Unknown device")


def place_name(ip: str | None) -> str:
    """The place of an address as far as the address itself tells: its network, and whether that is a private one."""
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return _("Unknown place")
    if address.is_loopback:
        return _("This machine")
    network = network_of(str(address))
    is_private = any(address in private for private in _PRIVATE_NETWORKS)
    return _("Private network, %(network)s") % {"network": network} if is_private else network


def _first(names: tuple[tuple[str, str], ...], user_agent: str | None) -> str:
    return next((name for mark, name in names if mark in (user_agent or "")), "")
