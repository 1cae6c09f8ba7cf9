"""The page at the end of a message that nobody has to get."""

from app.config import CurrentSettings
from app.database import Db
from app.email import subscriptions
from app.pages import UNTRACED
from app.templates import render
from core.requests import Request
from core.responses import Response

UNTRACED_UNLISTED = {**UNTRACED, "x-robots-tag": "noindex"}


async def ask(request: Request, db: Db, settings: CurrentSettings, token: str) -> Response:
    """Show a button. Programs that look at every link of a message must not unsubscribe anybody."""
    subscription = await subscriptions.get_subscription(db, settings, token)
    return render(request, "email/unsubscribe.html", headers=UNTRACED_UNLISTED, subscription=subscription, token=token)


async def unsubscribe(request: Request, db: Db, settings: CurrentSettings, token: str) -> Response:
    """End it: for the button, and for mail programs that post by themselves (RFC 8058)."""
    subscription = await subscriptions.get_subscription(db, settings, token)
    await subscriptions.unsubscribe(db, subscription.id)
    await db.refresh(subscription)
    return render(request, "email/unsubscribe.html", headers=UNTRACED_UNLISTED, subscription=subscription, token=token)
