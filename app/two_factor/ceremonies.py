"""The two ceremonies of WebAuthn (level 3, section 7): making a passkey, and signing with one.

What browsers send is junk until it is proved: whatever is wrong with it raises PasskeyRefused and nothing else.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import webauthn
from cryptography.exceptions import UnsupportedAlgorithm
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import parse_authentication_credential_json, parse_registration_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from app.accounts.models import User
from app.config import Settings
from app.errors import Refusal
from app.language import N_
from app.two_factor.models import Passkey
from app.two_factor.passkey_challenges import LIFETIME
from app.two_factor.relying_party import RelyingParty

TIMEOUT_MILLISECONDS = int(LIFETIME.total_seconds() * 1000)
JUNK = (WebAuthnException, UnsupportedAlgorithm, ValueError, TypeError, LookupError, AttributeError, OverflowError)

ResultT = TypeVar("ResultT")


class PasskeyRefused(Refusal):
    """A passkey's answer proves nothing. Why is the audit trail's business, not a stranger's."""

    def __init__(self) -> None:
        super().__init__(N_("This passkey did not work here. Try again, or choose another way."))


def registration_options(settings: Settings, user: User, passkeys: Sequence[Passkey], challenge: bytes) -> str:
    """What `navigator.credentials.create()` is to be asked, as JSON. Authenticators that hold one of `passkeys` decline."""
    party = RelyingParty.of(settings)
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=user.id.bytes,
        user_name=user.email,
        user_display_name=user.name,
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        # "Preferred", so that a plain security key is welcome as a second factor; logging in by it alone needs more.
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_descriptors(passkeys),
    )
    return webauthn.options_to_json(options)


def assertion_options(
    settings: Settings, challenge: bytes, passkeys: Sequence[Passkey] = (), *, must_verify_person: bool = False
) -> str:
    """What `navigator.credentials.get()` is to be asked, as JSON. Without `passkeys` it is the same for everybody."""
    required, preferred = UserVerificationRequirement.REQUIRED, UserVerificationRequirement.PREFERRED
    options = webauthn.generate_authentication_options(
        rp_id=RelyingParty.of(settings).id,
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        allow_credentials=_descriptors(passkeys),
        user_verification=required if must_verify_person else preferred,
    )
    return webauthn.options_to_json(options)


def verify_registration(settings: Settings, answer: str, challenge: bytes) -> VerifiedRegistration:
    """What a new passkey says of itself, checked. Raises PasskeyRefused."""
    party = RelyingParty.of(settings)
    return _checked(
        lambda: webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
    )


def transports_of(answer: str) -> list[str]:
    """How the authenticator can be reached ("internal", "usb"), as far as the browser says so in known words."""
    return [str(transport.value) for transport in parse_registration_credential_json(answer).response.transports or []]


def read_assertion(answer: str) -> AuthenticationCredential:
    """Which passkey claims to have signed. Nothing of it is proved yet. Raises PasskeyRefused."""
    return _checked(lambda: parse_authentication_credential_json(answer))


def verify_assertion(
    settings: Settings, passkey: Passkey, answer: str, challenge: bytes, *, must_verify_person: bool
) -> VerifiedAuthentication:
    """That `passkey` signed `challenge` at our origin. Raises PasskeyRefused. The signature counter is not judged here."""
    party = RelyingParty.of(settings)
    return _checked(
        lambda: webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=must_verify_person,
        )
    )


def _checked(check: Callable[[], ResultT]) -> ResultT:
    try:
        return check()
    except JUNK as error:
        raise PasskeyRefused from error


def _descriptors(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    known = {transport.value: transport for transport in AuthenticatorTransport}
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id,
            transports=[known[name] for name in passkey.transports if name in known] or None,
        )
        for passkey in passkeys
    ]
