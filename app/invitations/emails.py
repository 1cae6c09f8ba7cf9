"""What this feature writes to people who are invited, and to those who invited them."""

from sqlalchemy.ext.asyncio import AsyncSession

from app import language
from app.accounts.models import User
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute
from app.invitations.models import Invitation
from app.organizations.models import Organization, Scope
from app.organizations.role_names import role_name


async def send_invitation(
    db: AsyncSession, settings: Settings, scope: Scope, invitation: Invitation, *, token: str
) -> None:
    """The link that is good once, in the language of whoever invites: what the invited person speaks is not known."""
    context = {
        "who": scope.user.name,
        "organization": scope.organization.name,
        "role": role_name(invitation.role),
        "message": invitation.message,
        "url": absolute(settings, f"/invitations/{token}"),
    }
    await send(
        db,
        settings=settings,
        to=invitation.address,
        template="invitations/invitation",
        context=context,
        locale=language.locale(),
    )


async def send_accepted(db: AsyncSession, settings: Settings, invitation: Invitation, *, who: User) -> None:
    if invitation.inviter is not None:
        url = absolute(settings, f"/o/{invitation.organization.slug}/members")
        await _send(db, settings, invitation.inviter, "accepted", invitation.organization, who=who.name, url=url)


async def send_declined(db: AsyncSession, settings: Settings, invitation: Invitation, *, who: User) -> None:
    if invitation.inviter is not None:
        await _send(db, settings, invitation.inviter, "declined", invitation.organization, who=who.name)


async def send_asked(
    db: AsyncSession, settings: Settings, organization: Organization, owner: User, *, who: User
) -> None:
    url = absolute(settings, f"/o/{organization.slug}/invitations")
    await _send(db, settings, owner, "asked", organization, who=who.name, url=url)


async def send_let_in(db: AsyncSession, settings: Settings, scope: Scope, user: User) -> None:
    url = absolute(settings, f"/o/{scope.organization.slug}")
    await _send(db, settings, user, "let_in", scope.organization, who=scope.user.name, url=url)


async def _send(
    db: AsyncSession, settings: Settings, user: User, template: str, organization: Organization, **values: str
) -> None:
    if user.email:
        await send(
            db,
            settings=settings,
            to=user.email,
            template=f"invitations/{template}",
            context={"name": user.name, "organization": organization.name, **values},
            locale=user.locale,
        )
