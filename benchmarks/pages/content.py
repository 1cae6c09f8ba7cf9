"""What a page says and where it leads: what must be the same on every peer, however each writes its markup."""

import json
import re
from datetime import datetime
from html.parser import HTMLParser

# Addresses, and what a reader hears or points at.
TOLD = ("action", "aria-label", "datetime", "title")
UNSEEN = ("script", "style")


class _Content(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._unseen = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._unseen = tag in UNSEEN
        told = (*TOLD, "href") if tag == "a" else TOLD
        self.found += [f"{name}={_plain(value or '')}" for name, value in attributes if name in told]

    def handle_endtag(self, tag: str) -> None:
        self._unseen = False

    def handle_data(self, text: str) -> None:
        if text.strip() and not self._unseen:
            self.found.append(_plain(text))


def of_page(html: str) -> list[str]:
    """The page's texts and addresses, in their order."""
    parser = _Content()
    parser.feed(html)
    return parser.found


def of_json(text: str) -> list[str]:
    """The document's members one by one, with times as far as Django writes them: in milliseconds."""
    document = json.loads(text)
    return [f"{_in_milliseconds(each)}" for each in document["items"]] + [f"{document['next_cursor']}"]


def _in_milliseconds(member: dict[str, str]) -> dict[str, str]:
    joined_at = datetime.fromisoformat(member["joined_at"])
    return {**member, "joined_at": joined_at.isoformat(timespec="milliseconds")}


def _plain(text: str) -> str:
    """Spaces of every width and breaks of lines are spaces."""
    return re.sub(r"\s+", " ", text).strip()
