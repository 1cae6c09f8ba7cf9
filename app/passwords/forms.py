"""What people may submit about their password."""

from app.accounts.forms import LinkToken, NewPassword, Password
from app.forms import EmailAddress, Form


class ForgotPasswordForm(Form):
    email: EmailAddress


class ResetPasswordForm(Form):
    token: LinkToken
    password: NewPassword


class ChangePasswordForm(Form):
    current_password: Password
    password: NewPassword
