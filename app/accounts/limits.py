"""How often entry pages may be used: per address and network, per network, and over all.

A stranger who hammers one address from one network runs out of that pair's attempts; the owner of the address, coming from
elsewhere, still gets in. The limit over all networks stops attacks from many places before they fill the queue for hashing.
"""

from dataclasses import dataclass

from app import throttle
from app.accounts import devices
from app.accounts.sessions import session_id
from app.config import Settings
from app.database import Database
from app.throttle import Limit
from core.params import Depends
from core.requests import Request

MINUTE = 60
HOUR = 60 * MINUTE


@dataclass(frozen=True)
class EntryLimits:
    """The budgets of one kind of attempt; each is a number of attempts and the seconds they are for."""

    name: str
    pair: tuple[int, int]
    address: tuple[int, int]
    network: tuple[int, int]
    everybody: tuple[int, int]

    def limits(self, network: str, address: str) -> list[Limit]:
        """The limits of an attempt from `network` on `address`; without an address only the network's and everybody's."""
        found = [
            Limit(f"{self.name}.network", network, *self.network),
            Limit(f"{self.name}.everybody", "", *self.everybody),
        ]
        if address:
            folded = address.lower()
            found.append(Limit(f"{self.name}.pair", f"{network} {folded}", *self.pair))
            found.append(Limit(f"{self.name}.address", folded, *self.address))
        return found


LOG_IN = EntryLimits(
    "log_in", pair=(10, 10 * MINUTE), address=(200, HOUR), network=(60, 10 * MINUTE), everybody=(3000, 10 * MINUTE)
)
SIGN_UP = EntryLimits("sign_up", pair=(5, HOUR), address=(10, HOUR), network=(30, HOUR), everybody=(3000, HOUR))
# Each of these sends a message to the address, so the owner's mailbox is what the limit on an address protects.
MESSAGE = EntryLimits("message", pair=(5, HOUR), address=(10, HOUR), network=(30, HOUR), everybody=(3000, HOUR))
# Messages that have nothing but a code, for a session: five wrong guesses end a code, so these are 25 guesses an hour.
CODE_MESSAGE = EntryLimits(
    "code_message", pair=(5, HOUR), address=(5, HOUR), network=(30, HOUR), everybody=(3000, HOUR)
)
# So many codes are mailed to an address beside links, whoever asks for them from wherever: 25 guesses an hour again.
CODES_TO_ADDRESS = (5, HOUR)
# Guesses at a code; each code bears five, whatever is left here.
CODE = EntryLimits(
    "code", pair=(10, 10 * MINUTE), address=(60, HOUR), network=(60, 10 * MINUTE), everybody=(3000, HOUR)
)
# Proofs by somebody who is logged in, counted for their session: a stolen one must not become a place to guess from.
CONFIRM = EntryLimits(
    "confirm",
    pair=(10, 10 * MINUTE),
    address=(10, 10 * MINUTE),
    network=(60, 10 * MINUTE),
    everybody=(3000, 10 * MINUTE),
)
LINK = EntryLimits("link", pair=(30, HOUR), address=(30, HOUR), network=(60, HOUR), everybody=(6000, HOUR))


async def limit(request: Request, kind: EntryLimits, address: str = "") -> None:
    """Count an attempt. Raises TooManyRequests. To be awaited before the request's own first statement."""
    await throttle.hit_by(request, *kind.limits(throttle.client_network(request), address))


async def may_mail_code(request: Request, address: str) -> bool:
    """Whether a message to an address, one more, may have a code beside its link; counts it.

    Messages beyond that have the link alone, so nobody can keep the owner out by asking for codes.
    """
    try:
        await throttle.hit_by(request, Limit("codes.address", address.lower(), *CODES_TO_ADDRESS))
    except throttle.TooManyRequests:
        return False
    return True


async def limit_log_in(request: Request, address: str) -> None:
    """Count an attempt to log in. Raises TooManyRequests.

    A browser in which the owner of the address has logged in before has a budget of its own: whatever strangers use up, from
    anywhere, the owner still gets in. Knowing that takes a statement, the same for every address.
    """
    settings: Settings = request.app.state.settings
    database: Database = request.app.state.database
    token = devices.device_token(request, settings)
    if token:
        token_hash = devices.hash_device(token, settings)
        async with database.transaction() as db:
            is_known = await devices.is_known(db, address, token_hash)
        if is_known:
            own = Limit("log_in.device", f"{token_hash.hex()} {address.lower()}", *LOG_IN.pair)
            await throttle.hit_by(request, own)
            return
    await limit(request, LOG_IN, address)


def per_session(kind: EntryLimits) -> Depends:
    """A dependency that counts an attempt for the session cookie. Ask for it before what needs a statement."""

    async def count(request: Request) -> None:
        await limit(request, kind, session_id(request) or "")

    return Depends(count)
