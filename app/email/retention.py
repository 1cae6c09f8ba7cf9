"""What is forgotten about people who are gone."""

from collections.abc import Sequence

from sqlalchemy import Text, cast, delete, func, or_
from sqlalchemy.ext.asyncio import AsyncSession

from app.email.models import EmailMessage, Subscription, Suppression
from app.inbound import InboundEvent


async def forget_addresses(db: AsyncSession, addresses: Sequence[str]) -> None:
    """Delete what was written to these addresses (in lower case), and what providers told of them."""
    if not addresses:
        return
    told = func.lower(cast(InboundEvent.payload, Text))
    for gone in (
        delete(EmailMessage).where(func.lower(EmailMessage.to_address).in_(addresses)),
        delete(Subscription).where(func.lower(Subscription.address).in_(addresses)),
        delete(Suppression).where(func.lower(Suppression.address).in_(addresses)),
        delete(InboundEvent).where(or_(*(told.contains(address, autoescape=True) for address in addresses))),
    ):
        await db.execute(gone.execution_options(synchronize_session=False))
