"""Application permissions of Graph: which an application has, and what each lets it do.

People read the directory as members of the tenant; an application has nothing but what an administrator gave it.
Sources: learn.microsoft.com/graph/permissions-reference (ids, and what each allows),
learn.microsoft.com/graph/api/serviceprincipal-post-approleassignments.
"""

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sandbox.azure.access.tenant import APPLICATIONS, GRAPH, object_id
from sandbox.azure.cloud import Cloud
from sandbox.azure.identity.graph.objects import now
from sandbox.azure.identity.graph.query import Document, bad_request, not_found

ROLES: Mapping[str, str] = MappingProxyType(
    {
        "df021288-bdef-4463-88db-98f22de89214": "User.Read.All",
        "741f803b-c850-494e-b5df-cde7c675a1ca": "User.ReadWrite.All",
        "5b567255-7703-4780-807c-7be8301ae99b": "Group.Read.All",
        "62a82d76-70ea-41e2-9197-370581804d09": "Group.ReadWrite.All",
        "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30": "Application.Read.All",
        "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9": "Application.ReadWrite.All",
        "7ab1d382-f21e-4acd-a863-ba3e13f7da61": "Directory.Read.All",
        "19dbc75e-c2e2-444c-a770-ec69d8559fc7": "Directory.ReadWrite.All",
    }
)
"""The permissions by id."""
_AREAS: Mapping[str, str] = MappingProxyType(
    {"users": "User", "groups": "Group", "applications": "Application", "serviceprincipals": "Application"}
)
"""First part of the permissions for each set."""
_KIND = "appRoleAssignment"


def is_application(cloud: Cloud, principal: str) -> bool:
    """Whether a caller is an application or a managed identity, and no person."""
    return cloud.store.get("servicePrincipal", principal) is not None


def may(cloud: Cloud, principal: str, entities: str, *, write: bool) -> bool:
    """Whether an application may read, or change, objects of a set; of any set for one that is not known here."""
    areas = [_AREAS[entities.lower()]] if entities.lower() in _AREAS else sorted(set(_AREAS.values()))
    kinds = ("ReadWrite",) if write else ("Read", "ReadWrite")
    enough = {f"{area}.{kind}.All" for area in (*areas, "Directory") for kind in kinds}
    return any(ROLES.get(str(one["appRoleId"])) in enough for one in given(cloud, principal))


def given(cloud: Cloud, principal: str) -> list[Document]:
    """The permissions that an application has."""
    return [one for one in cloud.store.list(_KIND) if one["principalId"] == principal]


def give(cloud: Cloud, principal: Document, body: Document) -> Document:
    """Give an application a permission.

    Raises:
        AzureError: 400 for a body that names no permission of Graph, or one that is given already.
    """
    wanted: dict[str, Any] = {
        key: str(body.get(key) or "").lower() for key in ("principalId", "resourceId", "appRoleId")
    }
    if wanted["principalId"] != principal["id"]:
        raise bad_request("Invalid value specified for property 'principalId' of resource 'AppRoleAssignment'.")
    if wanted["resourceId"] != object_id(GRAPH) or wanted["appRoleId"] not in ROLES:
        raise bad_request("Permission being assigned was not found on application")
    if any(one["appRoleId"] == wanted["appRoleId"] for one in given(cloud, principal["id"])):
        raise bad_request("Permission being assigned already exists on the object")
    made = {
        "id": uuid.uuid4().hex,
        "createdDateTime": now(),
        "principalDisplayName": principal["displayName"],
        "principalType": "ServicePrincipal",
        "resourceDisplayName": APPLICATIONS[GRAPH],
        **wanted,
    }
    cloud.store.put(_KIND, made["id"], made)
    return made


def take(cloud: Cloud, principal: Document, assignment: str) -> None:
    """Take a permission from an application.

    Raises:
        AzureError: 404 for one that it does not have.
    """
    if not any(one["id"] == assignment for one in given(cloud, principal["id"])):
        raise not_found(assignment)
    cloud.store.delete(_KIND, assignment)
