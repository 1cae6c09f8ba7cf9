"""The addresses that the two pages link to, for peers that have no other page, and the sidebar's entries."""

ADDRESSES = {
    "site.landing": "/",
    "accounts.log_out": "/log-out",
    "profile.profile": "/account/profile",
    "profile.accept": "/account/terms",
    "notifications.notifications": "/notifications",
    "notifications.count": "/notifications/count",
    "realtime.stream": "/events",
    "invitations.organizations": "/organizations",
    "organizations.new": "/organizations/new",
    "organizations.home": "/o",
    "staff.home": "/staff",
    "projects.projects": "/o/{slug}/projects",
    "organizations.members": "/o/{slug}/members",
    "roles.roles": "/o/{slug}/roles",
    "invitations.list_invitations": "/o/{slug}/invitations",
    "files.files": "/o/{slug}/files",
    "organizations.security": "/o/{slug}/security",
    "organizations.second_factor": "/o/{slug}/second-factor",
    "audit.events": "/o/{slug}/audit",
    "organizations.settings": "/o/{slug}/settings",
}
# Label, route, icon, and the permission of those who see it.
NAVIGATION = [
    ("Dashboard", "organizations.dashboard", "dashboard", "organization.view"),
    ("Projects", "projects.projects", "projects", "projects.view"),
    ("Members", "organizations.members", "members", "members.view"),
    ("Invitations", "invitations.list_invitations", "mail", "invitations.view"),
    ("Roles", "roles.roles", "key", "roles.view"),
    ("Files", "files.files", "files", "files.view"),
    ("Security", "organizations.security", "shield", "security.view"),
    ("Audit log", "audit.events", "audit", "audit.view"),
    ("Settings", "organizations.settings", "settings", "organization.update"),
]
EVERYBODYS = frozenset({"organization.view", "members.view", "roles.view", "projects.view", "files.view"})
ADMINS = EVERYBODYS | {"invitations.view", "security.view", "audit.view", "organization.update"}
PERMISSIONS = {"owner": ADMINS, "admin": ADMINS, "member": EVERYBODYS}
