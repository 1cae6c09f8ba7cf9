"""How a person appears and likes the product, for scripts of the person's own pages."""

from typing import Annotated

from pydantic import Field

from app.accounts.api import PersonOut
from app.accounts.dependencies import CurrentUser
from app.audit.models import RequestFacts
from app.database import Db
from app.profile import actions
from app.profile.forms import ProfileChanges, Theme
from core.params import Body
from core.requests import Request


class ProfileOut(PersonOut):
    """A person, and how they like the product."""

    locale: Annotated[str | None, Field(description="Null: as the browser says.")]
    time_zone: Annotated[str | None, Field(description="Null: as the browser says.")]
    theme: Theme


async def update_me(
    request: Request, user: CurrentUser, db: Db, changes: Annotated[ProfileChanges, Body(unique_names=True)]
) -> ProfileOut:
    """Change the person who is signed in.

    What is left out stays as it is.
    """
    given = changes.model_dump(exclude_unset=True)
    values = {name: value for name, value in given.items() if value is not None or name in ("locale", "time_zone")}
    await actions.update_profile(db, user, facts=RequestFacts.of(request), **values)
    return ProfileOut.model_validate(user, from_attributes=True)
