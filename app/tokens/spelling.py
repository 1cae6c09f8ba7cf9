"""How a token is written: a prefix that secret scanners know, 256 random bits, and a checksum.

The checksum tells a token from a typing error or a made-up string without asking the database.
"""

import secrets
import string
import zlib

PREFIX = "slipway_pat_"
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_LENGTH = 43  # 62 ** 43 is more than 2 ** 256.
CHECKSUM_LENGTH = 6  # 62 ** 6 is more than 2 ** 32.
LENGTH = len(PREFIX) + SECRET_LENGTH + CHECKSUM_LENGTH
_DIGITS = frozenset(DIGITS)


def new_secret() -> str:
    """A fresh token as its owner gets to see it, once."""
    body = PREFIX + "".join(secrets.choice(DIGITS) for _ in range(SECRET_LENGTH))
    return body + checksum(body)


def is_well_formed(text: str) -> bool:
    """Whether `text` may be a token of ours. It says nothing about whether there is such a token."""
    body, end = text[:-CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    has_shape = len(text) == LENGTH and text.startswith(PREFIX) and _DIGITS.issuperset(text[len(PREFIX) :])
    return has_shape and end == checksum(body)


def checksum(body: str) -> str:
    """The CRC-32 of everything before it, in base 62."""
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits
