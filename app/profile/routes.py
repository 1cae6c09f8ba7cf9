"""The pages /account/profile and /account/activity, people's pictures, and PATCH /api/v1/me."""

from app.features import AccountItem
from app.images import LARGEST_UPLOAD
from app.language import N_
from app.policy import public
from app.profile import api, handlers
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    Route("/account/profile", handlers.profile, name="profile.profile"),
    Route("/account/profile", handlers.update, methods=["POST"], name="profile.update"),
    Route(
        "/account/profile/avatar",
        handlers.upload_avatar,
        methods=["POST"],
        max_body_size=LARGEST_UPLOAD + 64 * 1024,
        name="profile.upload_avatar",
    ),
    Route("/account/profile/avatar/remove", handlers.remove_avatar, methods=["POST"], name="profile.remove_avatar"),
    Route("/account/activity", handlers.activity, name="profile.activity"),
    Route("/account/terms", handlers.accept, methods=["POST"], name="profile.accept"),
    public(Route("/avatars/{user_id:uuid}-{digest}", handlers.avatar, name="profile.avatar")),
    Route("/api/v1/me", api.update_me, methods=["PATCH"], name="profile.update_me"),
]

account_navigation = [
    AccountItem(N_("Profile"), "profile.profile", icon="user", position=10),
    AccountItem(N_("Activity"), "profile.activity", icon="audit", position=100),
]
