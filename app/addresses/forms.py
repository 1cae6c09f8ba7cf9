"""What a person may submit about their addresses."""

from app.accounts.forms import LinkToken
from app.forms import EmailAddress, Form


class AddressForm(Form):
    email: EmailAddress
    is_primary: bool = False


class LinkForm(Form):
    token: LinkToken
