"""Where secret scanners tell which tokens they found in public."""

from app.accounts.limits import HOUR, EntryLimits, limit
from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.tokens import actions, leaks
from core.requests import Request
from core.responses import JSONResponse, Response

# Each report costs a signature, and one with a key that nobody knows may cost a question to GitHub.
REPORTS = EntryLimits(
    "leak_reports", pair=(600, HOUR), address=(600, HOUR), network=(600, HOUR), everybody=(6000, HOUR)
)


async def receive_leaks(request: Request, db: Db, settings: CurrentSettings) -> Response:
    """Revoke what was found, and tell the owners. The answer says which were tokens of ours."""
    await limit(request, REPORTS)
    keys = leaks.scanner_keys(settings.token_scanner_url)
    found = await leaks.read_report(keys, request.headers, await request.body())
    facts = RequestFacts.of(request)
    places = {leak.token: leak.url for leak in found}
    ours = await actions.revoke_leaked_tokens(db, settings, places, facts=facts)
    return JSONResponse([leaks.label(leak, is_ours=leak.token in ours) for leak in found])
