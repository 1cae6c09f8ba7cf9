"""What people may submit about their organization."""

from typing import Annotated

from pydantic import Field

from app.forms import Form, Line
from app.organizations.models import LONGEST_NAME


class OrganizationForm(Form):
    name: Annotated[Line, Field(min_length=1, max_length=LONGEST_NAME)]
