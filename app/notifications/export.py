"""What this feature hands over of a person's data."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.exporting import Rows, row_as_json
from app.notifications.models import Notification, NotificationPreference


async def export_person(db: AsyncSession, user: User) -> Rows:
    told = select(Notification).where(Notification.user_id == user.id).order_by(Notification.created_at)
    chosen = select(NotificationPreference).where(NotificationPreference.user_id == user.id)
    return {
        "notifications": [row_as_json(each) for each in await db.scalars(told)],
        "notification_preferences": [row_as_json(each) for each in await db.scalars(chosen)],
    }
