"""What this feature writes to people who are invited, and to those who invited them."""

from sqlalchemy.ext.asyncio import AsyncSession

from app import language
from app.accounts.models import User
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute
from app.invitations.models import Invitation
from app.organizations.custom_roles import role_of
from app.organizations.mailing import send_about
from app.organizations.models import Organization, Scope
from app.organizations.role_names import role_name


async def send_invitation(
    db: AsyncSession, settings: Settings, scope: Scope, invitation: Invitation, *, token: str
) -> None:
    """The link that is good once. What the invited person speaks is not known: what the organization does, else whoever invites."""
    tongue = scope.organization.locale or language.locale()
    with language.speaking(tongue):
        role = role_name(role_of(invitation))
    context = {
        "who": scope.user.name,
        "organization": scope.organization.name,
        "role": role,
        "message": invitation.message,
        "url": absolute(settings, f"/invitations/{token}"),
    }
    await send(
        db,
        settings=settings,
        to=invitation.address,
        template="invitations/invitation",
        context=context,
        locale=tongue,
    )


async def send_accepted(db: AsyncSession, settings: Settings, invitation: Invitation, *, who: User) -> None:
    if invitation.inviter is not None:
        url = absolute(settings, f"/o/{invitation.organization.slug}/members")
        await send_about(
            db, settings, invitation.inviter, "invitations/accepted", invitation.organization, who=who.name, url=url
        )


async def send_declined(db: AsyncSession, settings: Settings, invitation: Invitation, *, who: User) -> None:
    if invitation.inviter is not None:
        await send_about(
            db, settings, invitation.inviter, "invitations/declined", invitation.organization, who=who.name
        )


async def send_asked(
    db: AsyncSession, settings: Settings, organization: Organization, owner: User, *, who: User
) -> None:
    url = absolute(settings, f"/o/{organization.slug}/invitations")
    await send_about(db, settings, owner, "invitations/asked", organization, who=who.name, url=url)


async def send_let_in(db: AsyncSession, settings: Settings, scope: Scope, user: User) -> None:
    url = absolute(settings, f"/o/{scope.organization.slug}")
    await send_about(db, settings, user, "invitations/let_in", scope.organization, who=scope.user.name, url=url)
