"""What the meter beside a new password asks while somebody types (static/js/password-strength.js)."""

from typing import Annotated

from pydantic import BaseModel, Field

from app.accounts import passwords
from app.accounts.forms import Password
from app.accounts.strength import LABELS, strength
from app.config import CurrentSettings
from app.forms import Form
from app.language import gettext as _
from core.params import Submitted


class StrengthForm(Form):
    password: Password
    name: Annotated[str, Field(max_length=200)] = ""
    email: Annotated[str, Field(max_length=300)] = ""


class StrengthOut(BaseModel):
    """How strong a password is, from 0 to 4, and what to say of it."""

    score: int
    text: str


async def measure(settings: CurrentSettings, form: Submitted[StrengthForm]) -> StrengthOut:
    """Say how strong a password is. Nothing of it is kept."""
    if not form.is_valid:
        return StrengthOut(score=0, text=_(LABELS[0]))
    password = form.data.password.get_secret_value()
    context = (form.data.name, form.data.email, settings.product_name)
    score = strength(password, context)
    return StrengthOut(score=score, text=_(passwords.weakness(password, context) or LABELS[score]))
