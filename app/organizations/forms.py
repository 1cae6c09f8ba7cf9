"""What people may submit about their organization."""

import re
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from app.forms import Day, Form, Line, OrEmpty
from app.language import N_
from app.organizations.member_queries import MemberFilter
from app.organizations.models import (
    LONGEST_NAME,
    LONGEST_ROLE_NAME,
    LONGEST_SESSION_HOURS,
    LONGEST_SLUG,
    MembershipStatus,
)
from app.organizations.slugs import slug_problem
from app.pagination import PageQuery
from app.preferences import Language, TimeZone

LONGEST_SEARCH = 100
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
MOST_DOMAINS = 20


def _lowered(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _usable_slug(value: str) -> str:
    if problem := slug_problem(value):
        raise PydanticCustomError("slug", problem)
    return value


def _one_domain(text: str) -> str:
    if not _DOMAIN.fullmatch(text):
        raise PydanticCustomError("domains", N_("Enter a domain such as example.com."))
    return text


def read_domains(text: str) -> list[str]:
    """The domains in a text, separated by blanks, commas or lines. Raises PydanticCustomError for what is none."""
    domains = [part.removeprefix("@") for part in re.split(r"[\s,;]+", text.lower()) if part]
    if len(domains) > MOST_DOMAINS or not all(_DOMAIN.fullmatch(domain) for domain in domains):
        raise PydanticCustomError("domains", N_("Enter domains such as example.com, twenty at most."))
    return list(dict.fromkeys(domains))


Slug = Annotated[Line, BeforeValidator(_lowered), Field(max_length=LONGEST_SLUG), AfterValidator(_usable_slug)]
"""An address that an organization may have, if nobody else does."""

Domain = Annotated[
    Line,
    BeforeValidator(_lowered),
    Field(max_length=253, json_schema_extra={"pattern": f"^{_DOMAIN.pattern}$"}),
    AfterValidator(_one_domain),
]


class OrganizationForm(Form):
    name: Annotated[Line, Field(min_length=1, max_length=LONGEST_NAME)]


class DefaultsForm(Form):
    """What counts for members who have chosen nothing themselves."""

    locale: Language | None = None
    time_zone: TimeZone | None = None


class SlugForm(Form):
    slug: Slug


class TeamForm(Form):
    name: Annotated[Line, Field(min_length=1, max_length=LONGEST_NAME)]
    slug: Slug


RoleKey = Annotated[Line, Field(min_length=1, max_length=LONGEST_ROLE_NAME)]
"""A built-in role, or the key of one of the organization's own."""


class RoleForm(Form):
    role: RoleKey


class RemovalForm(Form):
    """Who takes over what the member answers for; empty: nobody."""

    successor_id: OrEmpty[UUID] = None


class OfferForm(Form):
    user_id: UUID


class ClosingForm(Form):
    name: Annotated[Line, Field(max_length=LONGEST_NAME)]


class SecurityForm(Form):
    """`second_factor_from` is the day from which on; empty means never. `allowed_domains` is a text with any number of them."""

    second_factor_from: Day | None = None
    allowed_domains: Annotated[
        str, Field(max_length=5000), AfterValidator(lambda text: " ".join(read_domains(text)))
    ] = ""
    session_hours: Annotated[int | None, Field(ge=1, le=LONGEST_SESSION_HOURS)] = None


class MemberQuery(PageQuery):
    """Which members, and which part of them, somebody asks for."""

    role: Annotated[
        Line,
        Field(
            max_length=LONGEST_ROLE_NAME,
            description="Only those with this role: a built-in one, or the key of one of the organization's own.",
        ),
    ] = ""
    status: Annotated[OrEmpty[MembershipStatus], Field(description="Only those with this status.")] = None
    search: Annotated[Line, Field(max_length=LONGEST_SEARCH, description="A part of the name or address.")] = ""

    @property
    def filter(self) -> MemberFilter:
        return MemberFilter(self.role or None, self.status, self.search.strip() or None)

    @property
    def list_name(self) -> str:
        """What tells the pages of one filter from those of another."""
        return f"{self.role}:{self.status or ''}:{self.search.strip()}"
