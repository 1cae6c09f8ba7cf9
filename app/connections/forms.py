"""What people submit on their way to a provider."""

from app.accounts.forms import NextPath
from app.forms import Form


class StartForm(Form):
    next: NextPath = ""
