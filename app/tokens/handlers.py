"""A person's pages about their tokens."""

from uuid import UUID

from app import throttle
from app.accounts.dependencies import ConfirmedSession, CurrentUser
from app.accounts.models import User
from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.language import gettext as _
from app.pages import see
from app.templates import flash, render
from app.throttle import Limit
from app.tokens import actions, queries
from app.tokens.forms import DEFAULT_DAYS, LIFETIMES, TokenForm
from app.tokens.scopes import all_scopes
from core.exceptions import HTTPException
from core.params import Submitted
from core.requests import Request
from core.responses import Response

MOST_AN_HOUR = 20


async def list_tokens(request: Request, user: CurrentUser, db: Db) -> Response:
    """Show a person's tokens: what they may do, until when, and when they were used last."""
    return render(request, "tokens/list_tokens.html", tokens=await queries.list_tokens(db, user))


async def new_token(request: Request, session: ConfirmedSession) -> Response:
    """Show what a new token needs to have."""
    return _ask(request, Submitted.blank(TokenForm, days=DEFAULT_DAYS))


async def create_token(
    request: Request, session: ConfirmedSession, db: Db, settings: CurrentSettings, form: Submitted[TokenForm]
) -> Response:
    """Make a token and show it, this once: it is in no other answer and in no place where it could be read again."""
    if form.is_valid:
        await _limit(request, session.user)
        try:
            token, secret = await actions.create_token(
                db,
                settings,
                session.user,
                name=form.data.name,
                scopes=form.data.scopes,
                lifetime=form.data.lifetime,
                facts=RequestFacts.of(request),
            )
        except actions.TooManyTokens as refusal:
            form.add_error("", _(refusal.message))
        else:
            return render(request, "tokens/create_token.html", status_code=201, token=token, secret=secret)
    return _ask(request, form)


async def revoke_token(request: Request, user: CurrentUser, db: Db, token_id: UUID) -> Response:
    """Take a token back. The next request with it is refused."""
    name = await actions.revoke_token(db, user, token_id, facts=RequestFacts.of(request))
    if name is None:
        raise HTTPException(404)
    flash(request, _("The token %(name)s is revoked. Programs that use it are refused from now on.") % {"name": name})
    return see(request, "tokens.list_tokens")


def _ask(request: Request, form: Submitted[TokenForm]) -> Response:
    return render(request, "tokens/new_token.html", form=form, scopes=all_scopes(), lifetimes=LIFETIMES)


async def _limit(request: Request, user: User) -> None:
    """Each new token sends a message."""
    await throttle.hit_by(request, Limit("tokens.create", str(user.id), MOST_AN_HOUR, 60 * 60))
