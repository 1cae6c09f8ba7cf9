"""Square pictures that people give to themselves and to their organizations: taken, cut out, kept, handed out."""

import hashlib
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import CheckConstraint, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.forms import Form
from app.images import LARGEST_SQUARE, SQUARE_TYPE, Crop, square
from core.datastructures import UploadFile
from core.exceptions import HTTPException
from core.responses import Response

SIZE = 256  # Pixels each way.
DIGEST_LENGTH = 32  # Hexadecimal digits: nobody guesses the address of a picture.
HEADERS = {
    "cache-control": "private, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
}


class Picture:
    """The columns of a picture. Its owner's row has the digest too, so that no page needs the picture's table."""

    digest: Mapped[str]
    content_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime]


def picture_constraint() -> CheckConstraint:
    """What a table of pictures needs: none is larger than `app.images.square` makes them."""
    return CheckConstraint(f"octet_length(content) <= {LARGEST_SQUARE}", name="content")


class CropForm(Form):
    """Where the square lies that is cut out of a picture; nothing: in its middle."""

    crop_x: Annotated[float, Field(ge=0, le=1)] | None = None
    crop_y: Annotated[float, Field(ge=0, le=1)] | None = None
    crop_zoom: Annotated[float, Field(ge=1, le=8)] = 1

    @property
    def crop(self) -> Crop:
        return Crop(self.crop_x, self.crop_y, self.crop_zoom)


async def cut_out(picture: UploadFile | None, crop: Crop | None) -> bytes:
    """The square that somebody chose of the picture they uploaded. Raises UnusableImage."""
    content, filename = (await picture.read(), picture.filename or "") if picture else (b"", "")
    return await square(content, filename, size=SIZE, crop=crop)


def picture_values(owner_id: UUID, content: bytes) -> dict[str, object]:
    """The columns of an owner's new picture, which `cut_out` has made."""
    digest = hashlib.sha256(owner_id.bytes + content).hexdigest()[:DIGEST_LENGTH]
    return {"digest": digest, "content_type": SQUARE_TYPE, "content": content, "updated_at": clock.now()}


def picture_response(found: Picture | None) -> Response:
    """The picture itself. Its address has 128 bits that nobody guesses, and changes with the picture."""
    if found is None:
        raise HTTPException(404)
    return Response(found.content, media_type=found.content_type, headers=HEADERS)
