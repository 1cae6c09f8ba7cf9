"""What people may submit to log in by mail."""

from app.accounts.forms import LinkToken, MailedCode, NextPath
from app.forms import EmailAddress, Form


class AskForm(Form):
    email: EmailAddress
    remember: bool = False
    next: NextPath = ""


class CodeForm(Form):
    code: MailedCode


class LinkForm(Form):
    token: LinkToken
