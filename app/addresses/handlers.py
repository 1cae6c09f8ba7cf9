"""The pages of a person's addresses."""

from typing import Annotated
from uuid import UUID

from app.accounts import limits, pending
from app.accounts.dependencies import ConfirmedSession, CurrentSession, OptionalSession
from app.accounts.link_pages import keep_link, link_does_not_work
from app.accounts.links import LinkDoesNotWork
from app.accounts.sessions import delete_session_cookie
from app.addresses import actions, queries, undoing
from app.addresses.forms import AddressForm, LinkForm
from app.addresses.models import LinkKind
from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.language import gettext as _
from app.pages import UNTRACED, see, see_path
from app.templates import flash, render
from core.params import Query, Submitted
from core.requests import Request
from core.responses import Response

TokenQuery = Annotated[str, Query()]
LINK = "address"
UNDO_LINK = "address_undo"


async def emails(request: Request, session: CurrentSession, db: Db) -> Response:
    """List the addresses."""
    addresses = await queries.list_addresses(db, session.user_id)
    return render(request, "addresses/emails.html", addresses=addresses)


async def add(request: Request, _session: ConfirmedSession) -> Response:
    """Ask for another address."""
    return render(request, "addresses/add.html", form=Submitted.blank(AddressForm))


async def create(
    request: Request, session: ConfirmedSession, db: Db, settings: CurrentSettings, form: Submitted[AddressForm]
) -> Response:
    """Mail a link to another address; the answer is the same whether the address belongs to somebody else or not."""
    if form.is_valid:
        await limits.limit(request, limits.MESSAGE, form.data.email)
        try:
            await actions.add_address(
                db,
                settings,
                session.user,
                address=form.data.email,
                becomes_primary=form.data.is_primary,
                facts=RequestFacts.of(request),
            )
        except (actions.AlreadyYours, actions.TooManyAddresses) as refusal:
            form.add_error("email", _(refusal.message))
        else:
            flash(
                request,
                _("We sent a link to %(address)s. Open it to confirm the address.") % {"address": form.data.email},
            )
            return see(request, "addresses.emails")
    return render(request, "addresses/add.html", form=form)


async def send_again(
    request: Request, session: CurrentSession, db: Db, settings: CurrentSettings, email_id: UUID
) -> Response:
    """Mail the link once more."""
    email = await queries.get_address(db, session.user_id, email_id)
    await limits.limit(request, limits.MESSAGE, email.address)
    if email.verified_at is None:
        await actions.send_link(db, settings, session.user, email)
    flash(request, _("We sent the message again. It may take a minute to arrive."))
    return see(request, "addresses.emails")


async def ask_primary(request: Request, session: ConfirmedSession, db: Db, email_id: UUID) -> Response:
    """Say what making an address the primary one means."""
    email = await queries.get_address(db, session.user_id, email_id)
    if email.verified_at is None or email.is_primary:
        return see(request, "addresses.emails")
    return render(request, "addresses/make_primary.html", email=email)


async def make_primary(
    request: Request, session: ConfirmedSession, db: Db, settings: CurrentSettings, email_id: UUID
) -> Response:
    """Have messages go to this address from now on."""
    email = await queries.get_address(db, session.user_id, email_id)
    await actions.make_primary(db, settings, session.user, email, facts=RequestFacts.of(request))
    flash(request, _("Messages go to %(address)s from now on.") % {"address": email.address})
    return see(request, "addresses.emails")


async def ask_removal(request: Request, session: ConfirmedSession, db: Db, email_id: UUID) -> Response:
    """Say what removing an address means."""
    return render(request, "addresses/remove.html", email=await queries.get_address(db, session.user_id, email_id))


async def remove(
    request: Request, session: ConfirmedSession, db: Db, settings: CurrentSettings, email_id: UUID
) -> Response:
    """Forget an address."""
    email = await queries.get_address(db, session.user_id, email_id)
    try:
        await actions.remove_address(db, settings, session.user, email, facts=RequestFacts.of(request))
    except actions.PrimaryStays as refusal:
        flash(request, _(refusal.message), "danger")
    else:
        flash(request, _("%(address)s is removed.") % {"address": email.address})
    return see(request, "addresses.emails")


async def show_link(request: Request, session: OptionalSession, db: Db, token: TokenQuery = "") -> Response:
    """Show which address a mailed link proves. Mail programs open links by themselves, so only the button acts."""
    if token:
        return keep_link(request, LINK, token, "addresses.show_link")
    if session is None:
        return render(request, "addresses/log_in_first.html", headers=UNTRACED)
    held = pending.pending_link(request, LINK)
    link = await queries.find_link(db, held, actions.CONFIRMING)
    if link is None:
        return link_does_not_work(request, LINK)
    if link.user_id != session.user_id:
        return render(request, "addresses/wrong_account.html", status_code=403, headers=UNTRACED)
    form = Submitted.blank(LinkForm, token=held)
    is_primary = link.kind == LinkKind.CHANGE
    return render(
        request, "addresses/confirm.html", headers=UNTRACED, form=form, address=link.address, is_primary=is_primary
    )


async def confirm(
    request: Request, session: CurrentSession, db: Db, settings: CurrentSettings, form: Submitted[LinkForm]
) -> Response:
    """Prove an address by its mailed link."""
    await limits.limit(request, limits.LINK)
    token, facts = form.data.token if form.is_valid else "", RequestFacts.of(request)
    try:
        email = await actions.confirm_address(db, settings, session.user, token=token, facts=facts)
    except LinkDoesNotWork:
        return link_does_not_work(request, LINK)
    pending.forget_link(request, LINK)
    flash(request, _("%(address)s is confirmed.") % {"address": email.address})
    return see(request, "addresses.emails")


async def show_undo(request: Request, db: Db, token: TokenQuery = "") -> Response:
    """Show which change a mailed link takes back, to whoever reads the mailbox that the account had."""
    if token:
        return keep_link(request, UNDO_LINK, token, "addresses.show_undo")
    held = pending.pending_link(request, UNDO_LINK)
    link = await queries.find_link(db, held, (LinkKind.UNDO,))
    if link is None:
        return link_does_not_work(request, UNDO_LINK)
    form = Submitted.blank(LinkForm, token=held)
    return render(request, "addresses/undo.html", headers=UNTRACED, form=form, link=link)


async def undo(request: Request, db: Db, settings: CurrentSettings, form: Submitted[LinkForm]) -> Response:
    """Take a change of the primary address back, and end what its maker may have set up."""
    await limits.limit(request, limits.LINK)
    token = form.data.token if form.is_valid else ""
    try:
        await undoing.undo_change(db, settings, token=token, facts=RequestFacts.of(request))
    except LinkDoesNotWork:
        return link_does_not_work(request, UNDO_LINK)
    request.session.clear()
    flash(
        request,
        _("Your address is back, every device is logged out, and the password works no more. Set a new one now."),
    )
    response = see_path("/forgot-password")
    delete_session_cookie(response, settings)
    return response
