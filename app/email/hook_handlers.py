"""Where providers tell what became of messages. Whoever is not proved to be one is told nothing."""

from app.config import CurrentSettings
from app.database import Db
from app.email.webhooks import WEBHOOKS
from app.inbound import store_event
from app.jobs.actions import enqueue
from core.exceptions import HTTPException
from core.requests import Request
from core.responses import Response


async def receive(request: Request, db: Db, settings: CurrentSettings, provider: str) -> Response:
    """Check who speaks, keep what is new, and leave the work to a job: the answer takes milliseconds."""
    webhook = WEBHOOKS.get(provider)
    if webhook is None or not webhook.is_configured(settings.email):
        raise HTTPException(404)
    for event in await webhook.receive(settings.email, request.headers, await request.body()):
        event_id = await store_event(db, f"email.{provider}", event)
        if event_id is not None:
            await enqueue(db, "email.handle_event", {"event_id": event_id})
    return Response(status_code=200)
