"""What people may submit about invitations."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.forms import WHOLE, Form, Line, Text
from app.invitations.actions import MOST_AT_ONCE
from app.invitations.models import LONGEST_MESSAGE
from app.language import N_
from app.organizations.forms import Domain, RoleKey
from app.policy import Role

LONGEST_LIST = 20_000


def read_lines(text: str) -> list[str]:
    """The addresses in a text, one on each line or with commas between them."""
    return list(dict.fromkeys(part.strip() for part in re.split(r"[\n,;]+", text) if part.strip()))


def _some(text: str) -> str:
    count = len(read_lines(text))
    if count == 0:
        raise PydanticCustomError("addresses", N_("Enter at least one e-mail address."))
    if count > MOST_AT_ONCE:
        raise PydanticCustomError("addresses", N_("Invite fifty people at most at a time."))
    return text


class InvitationForm(Form):
    """`emails` is a text with any number of addresses."""

    emails: Annotated[Text, Field(max_length=LONGEST_LIST), AfterValidator(_some)]
    role: RoleKey = Role.MEMBER
    message: Annotated[Text, Field(max_length=LONGEST_MESSAGE)] = ""


Uses = Annotated[int, Field(ge=1, le=10_000), WHOLE]
Days = Annotated[int, Field(ge=1, le=90), WHOLE]


class JoinLinkForm(Form):
    role: RoleKey = Role.MEMBER
    domain: Domain | None = None
    max_uses: Uses | None = None
    days: Days = 7


class JoinDomainForm(Form):
    domain: Domain
    role: RoleKey = Role.MEMBER
    asks: bool = False


class DomainForm(Form):
    domain: Domain


class SearchForm(Form):
    search: Annotated[Line, Field(max_length=100)] = ""
