"""azuread's functions: users, groups and service principals by name or id, and who is signed in.

As Terraform does, what the directory leaves empty comes back as "", [] or false.
"""

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
_PRINCIPAL: Final = (
    "accountEnabled", "alternativeNames", "appRoleAssignmentRequired", "applicationTenantId", "clientId", "description",
    "displayName", "homepageUrl", "loginUrl", "logoutUrl", "notes", "notificationEmailAddresses", "objectId",
    "preferredSingleSignOnMode", "redirectUris", "servicePrincipalNames", "signInAudience", "tags", "type",
)  # fmt: skip

_USER_NAMES: Final = {  # what a user is found by: the words of the message where there is none
    "userPrincipalName": 'User with UPN "{}" was not found',
    "objectId": 'User not found with object ID: "{}"',
    "mail": 'User not found with mail: "{}"',
    "mailNickname": 'User not found with email alias: "{}"',
    "employeeId": 'User not found with employee ID: "{}"',
}
_PLURALS: Final = {f"{name}s": name for name in _USER_NAMES}


def client_config(client: Client) -> Properties:
    """Who is signed in."""
    claims = client.claims(GRAPH)
    config = {"tenantId": claims.get("tid", ""), "clientId": claims.get("appid", ""), "objectId": claims.get("oid", "")}
    return {**config, "id": "-".join(config.values())}


def _shown(item: Properties, names: tuple[str, ...]) -> Properties:
    shown = {}
    for name in names:
        graph_name = _GRAPH_NAMES.get(name, name.replace("onpremises", "onPremises"))
        empty: Any = [] if name in _LISTS else False if name in _FLAGS else ""
        value = item.get(graph_name)
        shown[name] = empty if value is None else value
    return shown


def _find_user(graph: Graph, by: str, value: str) -> Properties:
    if by == "objectId":
        user = graph.find(f"/users/{value}")
        users = [user] if user else []
    else:
        users = graph.all("/users", **{by: value})
    if len(users) > 1:
        raise Failure(f'More than one user found with {by}: "{value}"')
    if not users:
        raise Failure(_USER_NAMES[by].format(value))
    return users[0]


def _user(graph: Graph, arguments: Properties) -> Properties:
    given = [name for name in sorted(_USER_NAMES) if arguments.get(name)]
    names = "employee_id,mail,mail_nickname,object_id,user_principal_name"
    if len(given) != 1:
        text = "one of `{}` must be specified" if not given else "only one of `{}` can be specified"
        raise Failure(f"azuread:index/getUser:getUser: {text.format(names)}")
    user = _find_user(graph, given[0], arguments[given[0]])
    manager = graph.find(f"/users/{user['id']}/manager") or {}
    return {**_shown(user, _USER), "id": user["id"], "managerId": manager.get("id", "")}


def _users(graph: Graph, arguments: Properties) -> Properties:
    given = [name for name in _PLURALS if arguments.get(name) is not None]
    if len(given) + (arguments.get("returnAll") is True) != 1:
        names = "employee_ids,mail_nicknames,mails,object_ids,return_all,user_principal_names"
        raise Failure(f"azuread:index/getUsers:getUsers: one of `{names}` must be specified")
    matches = graph.all("/users") if not given else []
    for value in arguments[given[0]] if given else []:
        try:
            matches.append(_find_user(graph, _PLURALS[given[0]], value))
        except Failure:
            if arguments.get("ignoreMissing") is not True:
                raise
    users = [_shown(match, _USER_IN_LIST) for match in matches]
    lists = {plural: [user[name] for user in users if user[name]] for plural, name in _PLURALS.items()}
    return {**lists, "users": users, "id": "users#" + "-".join(lists["objectIds"])}


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
        "id": group["id"],
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
    raise Failure(f"{'More than one' if groups else 'No'} group found matching specified filter ({text})")


def _group_by_id(graph: Graph, object_id: str, flags: Properties) -> Properties:
    group = graph.find(f"/groups/{object_id}")
    if group is None:
        raise Failure(f'No group found with object ID: "{object_id}"')
    for name, expected in flags.items():
        if group.get(name) is not expected:
            raise Failure(
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
    if len(principals) != 1:
        raise Failure(f'{"More than principal" if principals else "No"} service principal found with {name}: "{value}"')
    return {**_shown(principals[0], _PRINCIPAL), "id": f"/servicePrincipals/{principals[0]['id']}"}


LOOKUPS: Final[dict[str, Callable[[Graph, Properties], Properties]]] = {
    "azuread:index/getUser:getUser": _user,
    "azuread:index/getUsers:getUsers": _users,
    "azuread:index/getGroup:getGroup": _group,
    "azuread:index/getServicePrincipal:getServicePrincipal": _service_principal,
}
