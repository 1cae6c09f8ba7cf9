"""What somebody does first in a new organization, and how far they are: read from the data, never ticked off by hand."""

from dataclasses import dataclass

from app.language import gettext as _
from app.organizations.models import Scope


@dataclass(frozen=True)
class FirstStep:
    """One step, in the reader's language. While it is open, `action` is the label of the link to `href`."""

    title: str
    text: str
    is_done: bool
    href: str = ""
    action: str = ""


def first_steps(scope: Scope, *, settings_path: str) -> list[FirstStep]:
    """The steps that this member can take, done or not, in order."""
    is_named = scope.organization.named_at is not None
    steps = [
        FirstStep(_("Create your account"), _("You are in."), is_done=True),
        FirstStep(
            _("Confirm your e-mail address"), _("So that you can always get back in."), is_done=bool(scope.user.email)
        ),
    ]
    if scope.allows("organization.update"):
        text = _("Everybody sees it on every page; for now it is called as you are.")
        steps.append(FirstStep(_("Name your organization"), text, is_named, settings_path, _("Choose a name")))
    return steps
