"""How often people may go to a provider and come back: each asks the provider something."""

from app.accounts.limits import HOUR, MINUTE, EntryLimits

DEPARTURE = EntryLimits(
    "departure", pair=(1, 1), address=(1, 1), network=(60, 10 * MINUTE), everybody=(3000, 10 * MINUTE)
)
COMING_BACK = EntryLimits("coming_back", pair=(1, 1), address=(1, 1), network=(60, HOUR), everybody=(6000, HOUR))
