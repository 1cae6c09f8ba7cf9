"""What people may submit about their organization's roles."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.forms import Form, Line
from app.language import N_
from app.organizations.models import LONGEST_ROLE_NAME
from app.policy import known


def _refuse_unknown(permissions: list[str]) -> list[str]:
    if not set(permissions) <= known(permissions):
        raise PydanticCustomError("permissions", N_("Choose one of the options."))
    return sorted(set(permissions))


class CustomRoleForm(Form):
    name: Annotated[Line, Field(min_length=1, max_length=LONGEST_ROLE_NAME)]
    permissions: Annotated[list[str], Field(default_factory=list), AfterValidator(_refuse_unknown)]


class DeletionForm(Form):
    """`role` is the key of the role that those who hold the deleted one get."""

    role: Annotated[Line, Field(max_length=LONGEST_ROLE_NAME)] = ""
