"""What a passkey is called when its owner gives it no name: after the password manager that keeps it."""

from collections.abc import Collection
from itertools import count

from app.language import gettext as _

# As the password managers say themselves (AAGUIDs of consumer passkey providers). A word to recognize them by, no proof.
KNOWN_AUTHENTICATORS = {
    "08987058-cadc-4b81-b6e1-30de50dcbe96": "Windows Hello",
    "531126d6-e717-415c-9320-3d9aa6981239": "Dashlane",
    "adce0002-35bc-c60a-648b-0b25f1f05503": "Chrome on Mac",
    "bada5566-a7aa-401f-bd96-45619a55120d": "1Password",
    "d548826e-79b4-db40-a3d8-11116f7e8349": "Bitwarden",
    "dd4ec289-e01d-41c9-bb89-70fa845d4bf2": "iCloud Keychain",
    "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4": "Google Password Manager",
    "fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "Apple Passwords",
}


def suggested_name(aaguid: str, taken: Collection[str]) -> str:
    """A name that none of the person's passkeys has: "Bitwarden", then "Bitwarden 2"."""
    name = KNOWN_AUTHENTICATORS.get(aaguid) or _("Passkey")
    folded = {other.lower() for other in taken}
    numbered = (name if number == 1 else f"{name} {number}" for number in count(1))
    return next(candidate for candidate in numbered if candidate.lower() not in folded)
