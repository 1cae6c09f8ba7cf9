"""What somebody who leaves must type."""

from app.accounts.forms import LinkToken
from app.forms import Form, Line


class DeletionForm(Form):
    email: Line


class KeepForm(Form):
    token: LinkToken
