"""What people may submit about their second factors."""

from typing import Annotated

from pydantic import Field

from app.accounts.forms import LinkToken, NextPath, Password
from app.forms import Form, Line
from app.two_factor.models import LONGEST_PASSKEY_NAME

LONGEST_ANSWER = 20_000  # Characters; what browsers send of a passkey is a few hundred.

Code = Annotated[Line, Field(max_length=64)]
PasskeyAnswer = Annotated[str, Field(max_length=LONGEST_ANSWER)]
"""What `navigator.credentials` returned, as JSON."""


class CodeForm(Form):
    code: Code


class ProofForm(Form):
    """A code from an app, a recovery code, or a passkey's answer: whichever the person has at hand."""

    code: Code = ""
    credential: PasskeyAnswer = ""


class ChallengeForm(ProofForm):
    trust: bool = False


class ConfirmationForm(ProofForm):
    next: NextPath = ""


class PasskeyForm(Form):
    name: Annotated[Line, Field(max_length=LONGEST_PASSKEY_NAME)] = ""
    credential: PasskeyAnswer


class PasskeyNameForm(Form):
    name: Annotated[Line, Field(min_length=1, max_length=LONGEST_PASSKEY_NAME)]


class LinkForm(Form):
    token: LinkToken


class FinishForm(LinkForm):
    password: Password


class PasskeyLogInForm(Form):
    credential: PasskeyAnswer
    next: NextPath = ""
