"""The roles of an organization, for programs. They are read only: what people may do is for people to decide."""

from typing import Annotated

from pydantic import BaseModel, Field

from app.database import Db
from app.organizations.custom_roles import list_custom_roles
from app.organizations.dependencies import MOVED, Allowed
from app.organizations.models import Scope
from app.organizations.role_names import role_name
from app.policy import Role, known, permissions_of
from core.openapi import operation


class RoleOut(BaseModel):
    """A role, and what it allows."""

    key: Annotated[str, Field(description="What members' `role` says.", examples=["admin"])]
    name: Annotated[str, Field(examples=["Admin"])]
    is_built_in: bool
    permissions: Annotated[list[str], Field(examples=[["members.view", "organization.view"]])]


class RoleList(BaseModel):
    """All roles that members of an organization may have."""

    items: list[RoleOut]


@operation(refusals=MOVED)
async def list_roles(scope: Annotated[Scope, Allowed("roles.view")], db: Db) -> RoleList:
    """List the roles of an organization.

    The built-in ones come first, from the most to the least powerful.
    """
    built_in = [
        RoleOut(key=role, name=role_name(role), is_built_in=True, permissions=sorted(permissions_of(role)))
        for role in Role
    ]
    own = [
        RoleOut(key=role.key, name=role.name, is_built_in=False, permissions=sorted(known(role.permissions)))
        for role in await list_custom_roles(db, scope)
    ]
    return RoleList(items=[*built_in, *own])
