"""Who asks and what they may: dependencies, as FastAPI's documentation teaches them."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Cookie, Depends, HTTPException, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from benchmarks.pages.addresses import PERMISSIONS
from benchmarks.pages.on_fastapi.models import Membership, Organization, Session, User


async def get_db(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as db:
        yield db


Db = Annotated[AsyncSession, Depends(get_db)]


async def get_session(db: Db, session: Annotated[str | None, Cookie()] = None) -> Session:
    if session is None:
        raise HTTPException(401)
    now = datetime.now(UTC)
    found = await db.scalar(
        select(Session).where(
            Session.token_hash == hashlib.sha256(session.encode()).digest(),
            Session.revoked_at.is_(None),
            Session.expires_at > now,
            Session.idle_expires_at > now,
        )
    )
    if found is None:
        raise HTTPException(401)
    return found


CurrentSession = Annotated[Session, Depends(get_session)]


async def get_user(session: CurrentSession, db: Db) -> User:
    user = await db.get(User, session.user_id, options=[joinedload(User.primary_email)])
    if user is None or user.status != "active":
        raise HTTPException(401)
    return user


CurrentUser = Annotated[User, Depends(get_user)]


async def get_organization(slug: str, db: Db) -> Organization:
    organization = await db.scalar(select(Organization).where(Organization.slug == slug))
    if organization is None or organization.status != "active":
        raise HTTPException(404)
    return organization


CurrentOrganization = Annotated[Organization, Depends(get_organization)]


async def get_membership(
    organization: CurrentOrganization, session: CurrentSession, user: CurrentUser, db: Db
) -> Membership:
    key = organization.id, user.id
    membership = await db.get(Membership, key, options=[joinedload(Membership.custom_role)])
    if membership is None or membership.status != "active":
        raise HTTPException(404)
    _require_policy(organization, session, user)
    return membership


def allowed(permission: str) -> Callable[..., Awaitable[Membership]]:
    async def get_allowed(membership: Annotated[Membership, Depends(get_membership)]) -> Membership:
        if permission not in permissions_of(membership):
            raise HTTPException(403)
        return membership

    return get_allowed


def permissions_of(membership: Membership) -> frozenset[str]:
    return frozenset(membership.custom_role.permissions) if membership.custom_role else PERMISSIONS[membership.role]


def _require_policy(organization: Organization, session: Session, user: User) -> None:
    if organization.demands_second_factor and user.second_factor_at is None:
        raise HTTPException(403)
    if organization.session_hours is not None:
        age = datetime.now(UTC) - session.authenticated_at
        if age >= timedelta(hours=organization.session_hours):
            raise HTTPException(403)
