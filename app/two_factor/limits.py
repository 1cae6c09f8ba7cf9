"""How often a second factor may be tried: per person and per network, each factor with a budget of its own.

Six digits are guessed in the end if nobody counts. Who tries has given a first proof already, so a stranger cannot use the
owner's budget up. A network may be a whole office, so it gets more.
"""

from uuid import UUID

from app import throttle
from app.accounts.limits import HOUR, MINUTE, EntryLimits
from app.throttle import Limit
from core.requests import Request

DAY = 24 * HOUR
OF_PERSON = ((5, 5 * MINUTE), (20, HOUR), (50, DAY))
LOST_ACCESS = (3, DAY)
OF_NETWORK = ((30, 5 * MINUTE), (120, HOUR), (500, DAY))

# A log-in page asks for a challenge when it opens, and again when that one is about to expire.
PASSKEY_OPTIONS = EntryLimits(
    "passkey.options", pair=(60, HOUR), address=(60, HOUR), network=(120, 10 * MINUTE), everybody=(30000, 10 * MINUTE)
)
PASSKEY_LOG_IN = EntryLimits(
    "passkey.log_in", pair=(20, HOUR), address=(20, HOUR), network=(30, 10 * MINUTE), everybody=(3000, 10 * MINUTE)
)


async def limit_asking(request: Request, user_id: UUID) -> None:
    """Count that somebody asks for a person's factors to be removed, which is mailed to them. Raises TooManyRequests."""
    await throttle.hit_by(request, Limit("lost_access", str(user_id), *LOST_ACCESS))


async def limit_proof(request: Request, factor: str, user_id: UUID) -> None:
    """Count an attempt to prove `factor`. Raises TooManyRequests."""
    network = throttle.client_network(request)
    limits = [Limit(f"second_factor.{factor}.person", str(user_id), *budget) for budget in OF_PERSON]
    limits += [Limit(f"second_factor.{factor}.network", network, *budget) for budget in OF_NETWORK]
    await throttle.hit_by(request, *limits)
