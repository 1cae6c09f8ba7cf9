"""What people may submit on the entry pages. No form has a field for a role, a status or an id."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from app.accounts import passwords
from app.accounts.models import LONGEST_NAME
from app.accounts.redirects import safe_path
from app.forms import EmailAddress, Form, Line
from app.language import N_


def _sealed(value: object) -> object:
    """Hide a password at once, before anything strips blanks from it: they are part of it."""
    return SecretStr(unicodedata.normalize("NFC", value)) if isinstance(value, str) else value


def _refuse_unusable(password: SecretStr) -> SecretStr:
    """Refuse what no keyboard types, and what would only keep the processor busy."""
    text = password.get_secret_value()
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise PydanticCustomError("control_characters", N_("Remove the control characters and line breaks."))
    if len(text.encode()) > passwords.LONGEST:
        raise PydanticCustomError("password_too_long", passwords.TOO_LONG)
    return password


def _refuse_short(password: SecretStr) -> SecretStr:
    if len(password.get_secret_value()) < passwords.SHORTEST:
        raise PydanticCustomError("password_too_short", passwords.TOO_SHORT)
    return password


def _digits(text: str) -> str:
    return "".join(character for character in unicodedata.normalize("NFKC", text) if character.isdecimal())


Password = Annotated[SecretStr, BeforeValidator(_sealed), AfterValidator(_refuse_unusable)]
"""A password as it was typed, in NFC."""

NewPassword = Annotated[Password, AfterValidator(_refuse_short)]
"""A password that somebody chooses; whether it is easy to guess is the action's question."""

NextPath = Annotated[str, BeforeValidator(lambda value: safe_path(value if isinstance(value, str) else None))]
"""Where to go afterwards; anything but a path on this site becomes empty."""

LinkToken = Annotated[Line, Field(max_length=200)]


MailedCode = Annotated[Line, Field(max_length=40), AfterValidator(_digits)]
"""A code as it was typed, with blanks and hyphens or in full-width digits; what is left are its digits."""


def _require_acceptance(value: bool) -> bool:
    if not value:
        raise PydanticCustomError("terms", N_("Accept the terms to go on."))
    return value


class SignUpForm(Form):
    name: Annotated[Line, Field(min_length=1, max_length=LONGEST_NAME)]
    email: EmailAddress
    password: NewPassword
    terms: Annotated[bool, Field(validate_default=True), AfterValidator(_require_acceptance)] = False
    next: NextPath = ""


class StaffForm(Form):
    """What the command line is told; the password is the action's question."""

    name: Annotated[Line, Field(min_length=1, max_length=LONGEST_NAME)]
    email: EmailAddress


class LogInForm(Form):
    email: EmailAddress
    password: Password
    remember: bool = False
    next: NextPath = ""


class VerifyEmailForm(Form):
    token: LinkToken


class VerifyCodeForm(Form):
    code: MailedCode
