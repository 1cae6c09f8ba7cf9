"""What the reader calls each status of a project."""

from app.language import N_
from app.language import gettext as _
from app.projects.models import ProjectStatus

NAMES = {
    ProjectStatus.PLANNED: N_("Planned"),
    ProjectStatus.ACTIVE: N_("Active"),
    ProjectStatus.PAUSED: N_("Paused"),
    ProjectStatus.DONE: N_("Done"),
}


def status_name(status: str) -> str:
    """The status in the reader's language."""
    return _(NAMES[ProjectStatus(status)])
