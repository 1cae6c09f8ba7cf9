"""Addresses under which one person gets one file of one organization, for a few minutes.

They say what to send, never that somebody may have it: whoever asks is checked again each time.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app import clock
from app.config import Settings
from app.organizations.models import Scope
from core.applications import Starlette

LINK_LIFETIME = timedelta(minutes=5)
PURPOSE = "file links"


class LinkQuery(BaseModel):
    """What stands behind the question mark."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    expires: Annotated[int, Field(ge=0, le=2**40)]
    signature: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    inline: bool = False


@dataclass(frozen=True)
class DownloadLink:
    path: str
    expires_at: datetime


def download_link(
    app: Starlette, settings: Settings, scope: Scope, file_id: UUID, *, route: str, inline: bool = False
) -> DownloadLink:
    """A link for the scope's person. `inline` shows a picture in the browser instead of saving it.

    `route` is where it leads: a browser's session counts on pages, a program's token below /api alone.
    """
    expires_at = (clock.now() + LINK_LIFETIME).replace(microsecond=0)
    expires = int(expires_at.timestamp())
    signature = _signature(settings.key(PURPOSE), scope, file_id, expires, inline)
    path = app.url_path_for(route, slug=scope.organization.slug, file_id=file_id)
    query = f"expires={expires}&signature={signature}" + ("&inline=true" if inline else "")
    return DownloadLink(f"{path}?{query}", expires_at.astimezone(UTC))


def is_genuine(settings: Settings, scope: Scope, file_id: UUID, link: LinkQuery) -> bool:
    """Whether we made the link, for this organization, file and person."""
    signatures = [_signature(key, scope, file_id, link.expires, link.inline) for key in settings.keys(PURPOSE)]
    return any(hmac.compare_digest(link.signature, signature) for signature in signatures)


def is_over(link: LinkQuery) -> bool:
    return link.expires <= clock.now().timestamp()


def _signature(key: bytes, scope: Scope, file_id: UUID, expires: int, inline: bool) -> str:
    said = f"{scope.organization.id} {file_id} {scope.user.id} {expires} {inline}"
    return hmac.digest(key, said.encode(), hashlib.sha256).hex()
