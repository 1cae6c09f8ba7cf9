"""Who came back from a provider, as far as the provider can be believed."""

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.accounts.models import LONGEST_NAME
from app.config_providers import LogInProvider
from app.forms import EmailAddress, Line

_ADDRESS: TypeAdapter[str] = TypeAdapter(EmailAddress)
_NAME: TypeAdapter[str] = TypeAdapter(Line)
# The tenant of personal Microsoft accounts, which have addresses that Microsoft has proved.
MICROSOFT_PEOPLE = "9188040d-6c67-4c5b-b112-36a304b66dad"


@dataclass(frozen=True)
class Person:
    """An account at a provider. `email` is empty, or an address in our spelling; unverified, it says nothing about who it is."""

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    name: str

    @property
    def proved_email(self) -> str:
        """The address, if the provider vouches for it."""
        return self.email if self.is_email_verified else ""


def person_of(claims: dict[str, Any], provider: LogInProvider) -> Person:
    """The person of verified claims."""
    email = clean_address(claims.get("email"))
    return Person(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        email=email,
        is_email_verified=_is_verified(claims, provider),
        name=clean_name(claims.get("name"), email),
    )


def clean_address(value: object) -> str:
    """An address as our own forms would take it, else nothing."""
    try:
        return _ADDRESS.validate_python(value, strict=True)
    except ValidationError:
        return ""


def clean_name(value: object, email: str) -> str:
    """What to call somebody until they say it themselves."""
    try:
        name = _NAME.validate_python(value, strict=True).strip()[:LONGEST_NAME].strip()
    except ValidationError:
        name = ""
    return name or email.partition("@")[0] or "?"


def _is_verified(claims: dict[str, Any], provider: LogInProvider) -> bool:
    """Whether the provider has proved the address.

    Microsoft lets the administrators of a tenant write any address into `email`; only `xms_edov` says that the domain is theirs.
    """
    if provider.key == "microsoft":
        return _is_true(claims.get("xms_edov")) or claims.get("tid") == MICROSOFT_PEOPLE
    return _is_true(claims.get("email_verified"))


def _is_true(value: object) -> bool:
    return value is True or value in ("true", "1") or (type(value) is int and value == 1)
