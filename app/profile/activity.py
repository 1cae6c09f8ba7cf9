"""The events of an account in words."""

from app.language import N_
from app.language import gettext as _

# A feature whose events are missing here shows their names, which is honest, and ugly enough to be noticed.
SENTENCES = {
    "accounts.confirmation_refused": N_("A wrong password was given to confirm it is you"),
    "accounts.device_forgotten": N_("You made a device one that is not trusted"),
    "accounts.email_verified": N_("You confirmed your e-mail address"),
    "accounts.first_password_requested": N_("You asked for a first password"),
    "accounts.identity_confirmed": N_("You confirmed that it is you"),
    "accounts.log_in_mail_requested": N_("A message for logging in was asked for"),
    "accounts.log_in_refused": N_("Somebody tried to log in with a wrong password"),
    "accounts.logged_in": N_("You logged in"),
    "accounts.logged_out": N_("You logged out"),
    "accounts.new_device": N_("You logged in on a new device"),
    "accounts.other_sessions_ended": N_("You ended all other sessions"),
    "accounts.password_changed": N_("You changed your password"),
    "accounts.password_reset": N_("You set a new password by a mailed link"),
    "accounts.password_reset_requested": N_("A link for a new password was asked for"),
    "accounts.session_ended": N_("You ended a session"),
    "accounts.signed_up": N_("You signed up"),
    "accounts.staff_created": N_("You became a member of the staff"),
    "addresses.added": N_("You added the address %(target)s"),
    "addresses.change_undone": N_("The change of your primary address was taken back"),
    "addresses.primary_changed": N_("You changed your primary address"),
    "addresses.removed": N_("You removed the address %(target)s"),
    "addresses.verified": N_("You confirmed the address %(target)s"),
    "connections.connected": N_("You connected an account of another service"),
    "connections.disconnected": N_("You disconnected an account of another service"),
    "notifications.chosen": N_("You chose what you are told of and where"),
    "privacy.deletion_cancelled": N_("You cancelled the deletion of your account"),
    "privacy.deletion_scheduled": N_("You asked for your account to be deleted"),
    "privacy.export_downloaded": N_("You downloaded your data"),
    "privacy.export_requested": N_("You asked for your data"),
    "profile.avatar_removed": N_("You removed your picture"),
    "profile.avatar_set": N_("You chose a picture"),
    "profile.terms_accepted": N_("You accepted the terms"),
    "profile.updated": N_("You changed your profile"),
    "tokens.created": N_("You made an access token"),
    "tokens.leaked": N_("Your access token %(target)s was found in public, so we revoked it"),
    "tokens.revoked": N_("You revoked an access token"),
    "two_factor.app_added": N_("You set up an authenticator app"),
    "two_factor.app_removed": N_("You removed your authenticator app"),
    "two_factor.factors_removed": N_("Second factors were removed from your account"),
    "two_factor.lost_access_asked": N_("Somebody asked for your second factors to be removed"),
    "two_factor.lost_access_cancelled": N_("You used a second factor, so all of them stay"),
    "two_factor.lost_access_expired": N_("Nobody removed your second factors in time, so all of them stay"),
    "two_factor.lost_access_finished": N_("You removed all second factors after a waiting period"),
    "two_factor.lost_access_refused": N_("A wrong password was given to remove your second factors"),
    "two_factor.lost_access_stopped": N_("Somebody stopped the removal of your second factors"),
    "two_factor.passkey_added": N_("You added a passkey"),
    "two_factor.passkey_counter_went_back": N_("A passkey was used that may have been copied"),
    "two_factor.passkey_removed": N_("You removed a passkey"),
    "two_factor.passkey_renamed": N_("You renamed a passkey"),
    "two_factor.proof_refused": N_("A wrong code was given as second factor"),
    "two_factor.recovery_code_used": N_("You used a recovery code"),
    "two_factor.recovery_codes_replaced": N_("You made new recovery codes"),
    "two_factor.turned_off": N_("You turned two-step log-in off"),
    "two_factor.turned_on": N_("You turned two-step log-in on"),
}


def sentence(action: str, target: str | None) -> str:
    """What happened, for the person it happened to."""
    known = SENTENCES.get(action)
    return _(known) % {"target": target or ""} if known else action
