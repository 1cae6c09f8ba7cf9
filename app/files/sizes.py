"""Numbers of bytes, as people read them."""

from babel.numbers import format_decimal

from app.language import gettext as _
from app.language import locale

STEP = 1024


def size_text(size: int) -> str:
    """ "1.2 MB" in the reader's language, with one decimal below ten; the steps are of 1024."""
    if size < STEP:
        return _("%(number)s bytes") % {"number": size}
    amount = size / STEP
    for text in (_("%(number)s KB"), _("%(number)s MB")):
        if round(amount) < STEP:
            return text % {"number": _number(amount)}
        amount /= STEP
    return _("%(number)s GB") % {"number": _number(amount)}


def _number(amount: float) -> str:
    return format_decimal(round(amount, 1 if amount < 10 else 0), locale=locale())
