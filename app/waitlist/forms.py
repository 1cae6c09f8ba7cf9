"""What somebody who waits may submit."""

from app.forms import EmailAddress, Form


class WaitlistForm(Form):
    email: EmailAddress
