"""The product's icons and static files, for peers that show the same ones."""

import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MARK = (
    '<path class="mark__hull" d="M3.5 9.5 29 13.8c-1 4.7-4.2 7.3-8.6 6.7L10 18.9C6.2 17.6 4 14.3 3.5 9.5z"/>'
    '<path d="M15.5 11.2V3.5L22 7l-6.5 2.5"/><path d="M2 22.2 30 26.6M9.5 19.2v4M20.5 20.9v4"/>'
)


@cache
def drawing(name: str) -> str:
    """The lines of an icon."""
    return MARK if name == "mark" else (ROOT / f"templates/components/icons/{name}.html").read_text().strip()


@cache
def static(path: str) -> str:
    """The address of a file, with its hash, so that browsers keep it."""
    digest = hashlib.sha256((ROOT / "static" / path).read_bytes()).hexdigest()[:16]
    return f"/static/{digest}/{path}"
