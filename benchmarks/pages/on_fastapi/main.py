"""The application."""

import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from benchmarks.pages.addresses import ADDRESSES, NAVIGATION
from benchmarks.pages.on_fastapi.access import CurrentOrganization, CurrentUser, Db, allowed, permissions_of
from benchmarks.pages.on_fastapi.models import (
    AuditEvent,
    Email,
    Invitation,
    Membership,
    Notification,
    Organization,
    RealtimeEvent,
    User,
)
from benchmarks.pages.on_fastapi.rendering import templates

PRODUCT = SimpleNamespace(name="Slipway", support_email="hello@localhost")
TERMS_VERSION = os.environ["TERMS_VERSION"]
RECENT_EVENTS = 8
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings = {"search_path": os.environ["DATABASE_SCHEMA"]}
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=10, connect_args={"server_settings": settings})
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


@app.middleware("http")
async def set_security_headers(request: Request, call_next: Any) -> Response:
    nonce = request.state.csp_nonce = secrets.token_urlsafe(16)
    response: Response = await call_next(request)
    response.headers["Content-Security-Policy"] = POLICY.format(nonce=nonce)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


app.add_middleware(SessionMiddleware, secret_key="benchmarks only")
app.add_middleware(GZipMiddleware, minimum_size=1024)
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost"])


@app.get("/o/{slug}", name="organizations.dashboard")
async def dashboard(
    request: Request,
    user: CurrentUser,
    organization: CurrentOrganization,
    membership: Annotated[Membership, Depends(allowed("organization.view"))],
    db: Db,
) -> Response:
    permissions = permissions_of(membership)
    context = {
        **await _shell(db, user),
        "user": user,
        "organization": organization,
        "membership": membership,
        "navigation": [
            (label, route, icon) for label, route, icon, permission in NAVIGATION if permission in permissions
        ],
        "product": PRODUCT,
        "terms_version": TERMS_VERSION,
        "events": await _recent_events(db, membership) if "audit.view" in permissions else None,
    }
    return templates.TemplateResponse(request, "dashboard.html", context, headers={"Cache-Control": "no-store"})


async def _shell(db: AsyncSession, user: User) -> dict[str, Any]:
    memberships = await db.scalars(
        select(Membership)
        .join(Membership.organization)
        .options(joinedload(Membership.organization))
        .where(Membership.user_id == user.id, Membership.status == "active", Organization.status == "active")
        .order_by(func.lower(Organization.name))
        .limit(50)
    )
    invitations = await db.scalar(
        select(func.count())
        .select_from(Invitation)
        .join(Email, func.lower(Email.address) == func.lower(Invitation.address))
        .where(
            Email.user_id == user.id,
            Email.verified_at.is_not(None),
            Invitation.accepted_at.is_(None),
            Invitation.declined_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > datetime.now(UTC),
        )
    )
    unread = await db.scalar(
        select(func.count())
        .select_from(Notification)
        .where(Notification.user_id == user.id, Notification.read_at.is_(None))
    )
    return {
        "organizations": [membership.organization for membership in memberships],
        "pending_invitations": invitations,
        "unread_notifications": unread,
        "live_since": await db.scalar(select(func.coalesce(func.max(RealtimeEvent.id), 0))),
    }


async def _recent_events(db: AsyncSession, membership: Membership) -> Sequence[AuditEvent]:
    return (
        await db.scalars(
            select(AuditEvent)
            .where(AuditEvent.organization_id == membership.organization_id)
            .order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc())
            .limit(RECENT_EVENTS)
        )
    ).all()


class MemberOut(BaseModel):
    user_id: UUID
    name: str
    email: str
    role: str
    status: str
    joined_at: datetime


class MemberPage(BaseModel):
    items: list[MemberOut]
    next_cursor: str | None


@app.get("/api/v1/organizations/{slug}/members")
async def list_members(
    response: Response,
    membership: Annotated[Membership, Depends(allowed("members.view"))],
    db: Db,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> MemberPage:
    response.headers["Cache-Control"] = "no-store"
    members = await db.scalars(
        select(Membership)
        .options(joinedload(Membership.user).joinedload(User.primary_email), joinedload(Membership.custom_role))
        .where(Membership.organization_id == membership.organization_id)
        .order_by(Membership.joined_at, Membership.user_id)
        .limit(limit + 1)
    )
    return MemberPage(items=[_member(each) for each in members.all()[:limit]], next_cursor=None)


def _member(membership: Membership) -> MemberOut:
    return MemberOut(
        user_id=membership.user_id,
        name=membership.user.name,
        email=membership.user.email,
        role=membership.custom_role.key if membership.custom_role else membership.role,
        status=membership.status,
        joined_at=membership.joined_at,
    )


async def not_here() -> None:
    """The pages that nobody asks for here; the dashboard links to them."""


for name, path in ADDRESSES.items():
    app.add_api_route(path, not_here, name=name)
