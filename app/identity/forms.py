"""What people may submit to prove again who they are."""

from app.accounts.forms import MailedCode, NextPath, Password
from app.forms import Form


class ConfirmForm(Form):
    password: Password
    next: NextPath = ""


class SendForm(Form):
    next: NextPath = ""


class CodeForm(Form):
    code: MailedCode
    next: NextPath = ""
