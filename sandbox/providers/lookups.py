"""azuread's functions: users, groups and service principals by name or id, and who is signed in.

As Terraform does, what the directory leaves empty comes back as "", [] or false.
"""

import base64
import hashlib
from collections.abc import Callable
from typing import Any, Final

from sandbox.providers.graph import Graph
from sandbox.providers.http import GRAPH, Client, Failure
from sandbox.providers.values import Properties

_LISTS: Final = {
    "alternativeNames", "businessPhones", "imAddresses", "notificationEmailAddresses", "otherMails", "proxyAddresses",
    "redirectUris", "servicePrincipalNames", "tags", "behaviors", "provisioningOptions", "types",
}  # fmt: skip
_FLAGS: Final = {
    "accountEnabled", "appRoleAssignmentRequired", "assignableToRole", "mailEnabled", "onpremisesSyncEnabled",
    "securityEnabled", "showInAddressList",
}  # fmt: skip

# SDK names that Graph has under another name; `onpremisesX` is `onPremisesX`.
_GRAPH_NAMES: Final = {
    "applicationTenantId": "appOwnerOrganizationId",
    "assignableToRole": "isAssignableToRole",
    "behaviors": "resourceBehaviorOptions",
    "clientId": "appId",
    "homepageUrl": "homepage",
    "objectId": "id",
    "provisioningOptions": "resourceProvisioningOptions",
    "redirectUris": "replyUrls",
    "type": "servicePrincipalType",
    "types": "groupTypes",
}

_USER: Final = (
    "accountEnabled", "ageGroup", "businessPhones", "city", "companyName", "consentProvidedForMinor", "country",
    "creationType", "department", "displayName", "employeeHireDate", "employeeId", "employeeType", "externalUserState",
    "faxNumber", "givenName", "imAddresses", "jobTitle", "mail", "mailNickname", "mobilePhone", "objectId",
    "officeLocation", "onpremisesDistinguishedName", "onpremisesDomainName", "onpremisesImmutableId",
    "onpremisesSamAccountName", "onpremisesSecurityIdentifier", "onpremisesSyncEnabled", "onpremisesUserPrincipalName",
    "otherMails", "postalCode", "preferredLanguage", "proxyAddresses", "showInAddressList", "state", "streetAddress",
    "surname", "usageLocation", "userPrincipalName", "userType",
)  # fmt: skip
_USER_IN_LIST: Final = (
    "accountEnabled", "displayName", "employeeId", "mail", "mailNickname", "objectId", "onpremisesImmutableId",
    "onpremisesSamAccountName", "onpremisesUserPrincipalName", "usageLocation", "userPrincipalName",
)  # fmt: skip
_GROUP: Final = (
    "assignableToRole", "behaviors", "description", "displayName", "mail", "mailEnabled", "mailNickname", "objectId",
    "onpremisesDomainName", "onpremisesNetbiosName", "onpremisesSamAccountName", "onpremisesSecurityIdentifier",
    "onpremisesSyncEnabled", "preferredLanguage", "provisioningOptions", "proxyAddresses", "securityEnabled", "theme",
    "types", "visibility",
)  # fmt: skip
_EXCHANGE: Final = (
    "autoSubscribeNewMembers", "externalSendersAllowed", "hideFromAddressLists", "hideFromOutlookClients",
    "writebackEnabled",
)  # fmt: skip
_PRINCIPAL: Final = (
    "accountEnabled", "alternativeNames", "appRoleAssignmentRequired", "applicationTenantId", "clientId", "description",
    "displayName", "homepageUrl", "loginUrl", "logoutUrl", "notes", "notificationEmailAddresses", "objectId",
    "preferredSingleSignOnMode", "redirectUris", "servicePrincipalNames", "signInAudience", "tags", "type",
)  # fmt: skip

_USER_NAMES: Final = {  # what a user is found by: Terraform's name for it, and its words where there is none
    "userPrincipalName": ("user_principal_name", 'User with UPN "{}" was not found'),
    "objectId": ("object_id", 'User not found with object ID: "{}"'),
    "mail": ("mail", 'User not found with mail: "{}"'),
    "mailNickname": ("mail_nickname", 'User not found with email alias: "{}"'),
    "employeeId": ("employee_id", 'User not found with employee ID: "{}"'),
}
_PLURALS: Final = {f"{name}s": name for name in _USER_NAMES}


class NotFound(Failure):
    """A lookup found nothing, or too much."""


def client_config(client: Client) -> Properties:
    """The ids of the identity that is signed in."""
    claims = client.claims(GRAPH)
    config = {"tenantId": claims.get("tid", ""), "clientId": claims.get("appid", ""), "objectId": claims.get("oid", "")}
    return {**config, "id": "-".join(config.values())}


def _shown(item: Properties, names: tuple[str, ...]) -> Properties:
    shown = {}
    for name in names:
        graph_name = _graph_name(name)
        empty: Any = [] if name in _LISTS else False if name in _FLAGS else ""
        value = item.get(graph_name)
        shown[name] = empty if value is None else value
    return shown


def _select(names: tuple[str, ...]) -> list[str]:
    """The properties for which Graph is asked: azuread names them, since Graph's default set lacks some."""
    return [_graph_name(name) for name in names]


def _graph_name(name: str) -> str:
    return _GRAPH_NAMES.get(name, name.replace("onpremises", "onPremises"))


def _find_user(graph: Graph, by: str, value: str, names: tuple[str, ...], plural: bool = False) -> Properties:
    argument, words = _USER_NAMES[by]
    if by == "objectId":
        user = graph.find(f"/users/{value}", _select(names))
        users = [user] if user else []
    else:
        users = graph.all("/users", _select(names), **{by: value})
    path = f"[{argument}{'s' if plural and by != 'objectId' else ''}]"
    if len(users) > 1:
        raise NotFound(f'{path} More than one user found with {argument}: "{value}"')
    if not users:
        raise NotFound(f"{path} {words.format(value)}")
    return users[0]


def _user(graph: Graph, arguments: Properties) -> Properties:
    given = [name for name in sorted(_USER_NAMES) if arguments.get(name)]
    names = "employee_id,mail,mail_nickname,object_id,user_principal_name"
    if len(given) != 1:
        text = "one of `{}` must be specified" if not given else "only one of `{}` can be specified"
        raise Failure(f"azuread:index/getUser:getUser: {text.format(names)}")
    user = _find_user(graph, given[0], arguments[given[0]], _USER)
    manager = graph.find(f"/users/{user['id']}/manager") or {}
    return {**_shown(user, _USER), "id": f"/users/{user['id']}", "managerId": manager.get("id", "")}


def _users(graph: Graph, arguments: Properties) -> Properties:
    given = [name for name in _PLURALS if arguments.get(name) is not None]
    if len(given) + (arguments.get("returnAll") is True) != 1:
        names = "employee_ids,mail_nicknames,mails,object_ids,return_all,user_principal_names"
        raise Failure(f"azuread:index/getUsers:getUsers: one of `{names}` must be specified")
    matches = graph.all("/users", _select(_USER_IN_LIST)) if not given else []
    for value in arguments[given[0]] if given else []:
        try:
            matches.append(_find_user(graph, _PLURALS[given[0]], value, _USER_IN_LIST, plural=True))
        except NotFound:
            if arguments.get("ignoreMissing") is not True:
                raise
    users = [_shown(match, _USER_IN_LIST) for match in matches]
    lists = {plural: [user[name] for user in users] for plural, name in _PLURALS.items()}
    digest = hashlib.sha1("/".join(lists["userPrincipalNames"]).encode(), usedforsecurity=False).digest()
    return {**lists, "users": users, "id": "users#" + base64.urlsafe_b64encode(digest).decode()}


def _group(graph: Graph, arguments: Properties) -> Properties:
    flags: Properties = {name: arguments[name] for name in ("mailEnabled", "securityEnabled") if name in arguments}
    if arguments.get("displayName"):
        group = _one_group(graph, {"displayName": arguments["displayName"], **flags})
    elif arguments.get("mailNickname"):
        group = _one_group(graph, {"mailNickname": arguments["mailNickname"], **flags})
    elif arguments.get("objectId"):
        group = _group_by_id(graph, arguments["objectId"], flags)
    else:
        names = "display_name,mail_nickname,object_id"
        raise Failure(f"azuread:index/getGroup:getGroup: one of `{names}` must be specified")
    members = "transitiveMembers" if arguments.get("includeTransitiveMembers") is True else "members"
    return {
        **_shown(group, _GROUP),
        **dict.fromkeys(_EXCHANGE, False),  # of Microsoft 365 groups only
        "id": f"/groups/{group['id']}",
        "members": graph.ids(f"/groups/{group['id']}/{members}"),
        "owners": graph.ids(f"/groups/{group['id']}/owners"),
        "dynamicMemberships": [],
    }


def _one_group(graph: Graph, equal: Properties) -> Properties:
    groups = graph.all("/groups", **equal)
    if len(groups) == 1:
        return groups[0]
    text = " and ".join(
        f"{name} eq {str(value).lower()}" if isinstance(value, bool) else f"{name} eq '{value}'"
        for name, value in equal.items()
    )
    raise NotFound(f"{'More than one' if groups else 'No'} group found matching specified filter ({text})")


def _group_by_id(graph: Graph, object_id: str, flags: Properties) -> Properties:
    group = graph.find(f"/groups/{object_id}")
    if group is None:
        raise NotFound(f'[object_id] No group found with object ID: "{object_id}"')
    for name, expected in flags.items():
        if group.get(name) is not expected:
            raise NotFound(
                f'Group with object ID "{object_id}" does not have the specified {name} setting '
                f"(expected: {expected}, actual: {group.get(name)})"
            )
    return group


def _service_principal(graph: Graph, arguments: Properties) -> Properties:
    given = {name: arguments[name] for name in ("clientId", "displayName", "objectId") if arguments.get(name)}
    if len(given) != 1:
        raise Failure(
            "azuread:index/getServicePrincipal:getServicePrincipal: one of `client_id,display_name,object_id` must be "
            "specified"
        )
    name, value = next(iter(given.items()))
    if name == "objectId":
        principal = graph.find(f"/servicePrincipals/{value}")
        principals = [principal] if principal else []
    else:
        principals = graph.all("/servicePrincipals", **{_GRAPH_NAMES.get(name, name): value})
    if not principals and name == "objectId":
        raise NotFound(f'[object_id] Service principal with object ID "{value}" was not found')
    if not principals:
        raise NotFound("No service principal found: no service principal found")
    if len(principals) > 1:
        raise NotFound(f"Multiple service principals found: found several with {name} '{value}'")
    return {**_shown(principals[0], _PRINCIPAL), "id": f"/servicePrincipals/{principals[0]['id']}"}


LOOKUPS: Final[dict[str, Callable[[Graph, Properties], Properties]]] = {
    "azuread:index/getUser:getUser": _user,
    "azuread:index/getUsers:getUsers": _users,
    "azuread:index/getGroup:getGroup": _group,
    "azuread:index/getServicePrincipal:getServicePrincipal": _service_principal,
}
