"""What the pages of the staff share: their menu in the sidebar."""

from functools import lru_cache
from typing import Any

from app import features
from app.features import AccountItem
from app.templates import render
from core.params import Submitted
from core.requests import Request
from core.responses import Response


def render_staff(
    request: Request, template: str, *, form: Submitted[Any] | None = None, **context: Any
) -> Response:  # Any: what templates take.
    """Show a page of the staff, with the staff's menu instead of the person's own."""
    return render(request, template, form=form, account_navigation=staff_navigation(), **context)


@lru_cache(maxsize=1)
def staff_navigation() -> tuple[AccountItem, ...]:
    """The entries of the menu: `staff_navigation` of the features' routes.py."""
    items = [item for _, module in features.modules("routes") for item in getattr(module, "staff_navigation", [])]
    return tuple(sorted(items, key=lambda item: item.position))
