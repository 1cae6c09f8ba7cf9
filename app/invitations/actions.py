"""Inviting people, and taking it back. What is answered never depends on who has an account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from app import clock
from app.accounts.sessions import hash_token, new_token
from app.audit.models import RequestFacts
from app.config import Settings
from app.errors import Refusal
from app.forms import EmailAddress
from app.ids import uuid7
from app.invitations import emails, queries
from app.invitations.models import Invitation, InvitationState
from app.jobs.actions import enqueue
from app.language import N_
from app.organizations.custom_roles import AnyRole, note_role, role_columns, role_key
from app.organizations.granting import require_power_over
from app.organizations.models import Scope
from app.organizations.recording import note_about

LIFETIME = timedelta(days=7)
MOST_AT_ONCE = 50
MOST_SENT = 5

_ADDRESS: TypeAdapter[str] = TypeAdapter(EmailAddress)


class Outcome(StrEnum):
    """What became of one of the lines."""

    INVITED = "invited"
    ALREADY_MEMBER = "already_member"
    ALREADY_INVITED = "already_invited"
    OUTSIDE_DOMAINS = "outside_domains"
    INVALID = "invalid"


@dataclass(frozen=True)
class Answer:
    """One line of those that were submitted, as it was typed, and what became of it."""

    line: str
    outcome: Outcome
    invitation: Invitation | None = None


class TooManyAtOnce(Refusal):
    def __init__(self) -> None:
        super().__init__(N_("Invite fifty people at most at a time."))


class SentOftenEnough(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("This invitation was sent five times. Revoke it and invite them in another way."))


async def invite_people(
    db: AsyncSession,
    settings: Settings,
    scope: Scope,
    lines: Sequence[str],
    *,
    role: AnyRole,
    message: str | None,
    facts: RequestFacts,
) -> list[Answer]:
    """Invite several people at once; the answers are in the order of the lines. Raises AboveYourOwnRole, TooManyAtOnce."""
    require_power_over(scope.membership, role)
    if len(lines) > MOST_AT_ONCE:
        raise TooManyAtOnce
    addresses = {line: _address(line) for line in lines}
    folded = [address.lower() for address in addresses.values() if address]
    members, invited = await queries.list_known(db, scope, folded)
    answers = []
    for line, address in addresses.items():
        outcome = _judge(scope, address, members, invited)
        invitation = None
        if outcome == Outcome.INVITED and address:
            await _close_expired(db, invited.get(address.lower()))
            invitation = await _invite(db, settings, scope, address, role, message, facts)
            outcome = outcome if invitation else Outcome.ALREADY_INVITED
            members.add(address.lower())  # Twice in one list is one invitation.
        answers.append(Answer(line, outcome, invitation))
    return answers


async def resend(
    db: AsyncSession, settings: Settings, scope: Scope, invitation: Invitation, *, facts: RequestFacts
) -> None:
    """Mail an invitation again with a new token; the old one works no more, and a week begins. Raises SentOftenEnough."""
    require_power_over(scope.membership, invitation)
    if invitation.sent_count >= MOST_SENT:
        raise SentOftenEnough
    token, now = new_token(), clock.now()
    invitation.token_hash, invitation.expires_at, invitation.last_sent_at = hash_token(token), now + LIFETIME, now
    invitation.sent_count += 1
    # Whoever sends it again answers for it from now on.
    invitation.invited_by = scope.user.id
    await db.flush()
    await emails.send_invitation(db, settings, scope, invitation, token=token)
    await _note(db, "invitations.sent_again", scope, invitation, facts)


async def revoke(db: AsyncSession, scope: Scope, invitation: Invitation, *, facts: RequestFacts) -> None:
    """Take an invitation back, if nobody was faster to answer it."""
    if await _close(db, invitation):
        await _note(db, "invitations.revoked", scope, invitation, facts)


def _address(line: str) -> str | None:
    try:
        return _ADDRESS.validate_python(line.strip())
    except ValidationError:
        return None


def _judge(scope: Scope, address: str | None, members: set[str], invited: dict[str, Invitation]) -> Outcome:
    if address is None:
        return Outcome.INVALID
    if address.lower() in members:
        return Outcome.ALREADY_MEMBER
    if not scope.organization.admits(address):
        return Outcome.OUTSIDE_DOMAINS
    earlier = invited.get(address.lower())
    is_open = earlier is not None and earlier.state == InvitationState.OPEN
    return Outcome.ALREADY_INVITED if is_open else Outcome.INVITED


async def _invite(
    db: AsyncSession,
    settings: Settings,
    scope: Scope,
    address: str,
    role: AnyRole,
    message: str | None,
    facts: RequestFacts,
) -> Invitation | None:
    """The new invitation; None if another request invited the same address at this moment."""
    token, now = new_token(), clock.now()
    invitation = Invitation(
        id=uuid7(),
        organization_id=scope.organization.id,
        address=address,
        **role_columns(role),
        token_hash=hash_token(token),
        invited_by=scope.user.id,
        message=message or None,
        expires_at=now + LIFETIME,
        last_sent_at=now,
        created_at=now,
    )
    try:
        async with db.begin_nested():
            db.add(invitation)
    except IntegrityError:
        return None
    note_role(invitation, role)
    await emails.send_invitation(db, settings, scope, invitation, token=token)
    # By the worker, so that inviting takes the same whether the address has an account or not.
    await enqueue(db, "invitations.notify_receiver", {"invitation_id": invitation.id})
    await _note(db, "invitations.sent", scope, invitation, facts, {"role": [None, role_key(role)]})
    return invitation


async def _close_expired(db: AsyncSession, invitation: Invitation | None) -> None:
    if invitation is not None:
        await _close(db, invitation)


async def _close(db: AsyncSession, invitation: Invitation) -> bool:
    now = clock.now()
    statement = (
        update(Invitation)
        .where(Invitation.id == invitation.id, Invitation.accepted_at.is_(None), Invitation.declined_at.is_(None))
        .values(revoked_at=now)
        .returning(Invitation.id)
    )
    if await db.scalar(statement.execution_options(synchronize_session=False)) is None:
        return False
    set_committed_value(invitation, "revoked_at", now)
    return True


async def _note(
    db: AsyncSession,
    action: str,
    scope: Scope,
    invitation: Invitation,
    facts: RequestFacts,
    changes: dict[str, list[str | None]] | None = None,
) -> None:
    await note_about(db, action, scope, ("invitation", invitation.id, invitation.address), facts, changes)
