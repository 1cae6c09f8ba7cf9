"""Links in messages: written absolute, and found again for the development mailbox."""

import re
from html.parser import HTMLParser

from app.config import Settings

_URL = re.compile(r"https?://[^\s<>\"]+")
_TRAILING_MARKS = ".,;:!?)'"


def absolute(base: Settings | str, path: str) -> str:
    """The full address of `path`. The host is the configured one, never a request's: `Host` is what the client says it is."""
    origin = base if isinstance(base, str) else base.base_url
    return f"{origin.rstrip('/')}/{path.lstrip('/')}"


def links_in(*, text: str, html: str) -> list[str]:
    """Every http(s) link of a message once, in the order of the text, then those that only the HTML has."""
    found = [match.rstrip(_TRAILING_MARKS) for match in _URL.findall(text)]
    reader = _LinkReader()
    reader.feed(html)
    return list(dict.fromkeys(found + reader.links))


class _LinkReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag == "a" and href.startswith(("http://", "https://")):
            self.links.append(href)
