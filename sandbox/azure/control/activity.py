"""How a recorded request is shown: with names for ids, and with the roles that a refused caller could be given."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from sandbox.azure.access.rbac import built_in_roles
from sandbox.azure.activity import Recorder
from sandbox.azure.activity.record import Missing, Record
from sandbox.azure.cloud import Cloud
from sandbox.azure.control.visible import EVENTS, visible

Answer = dict[str, Any]
MOST, DEFAULT = 1000, 200  # requests in an answer
MOST_ROLES = 5  # roles that are named to a refused caller
ALLOWED, REFUSED, FAILED, UNANSWERED = "allowed", "refused", "failed", "unanswered"
OUTCOMES = (ALLOWED, REFUSED, FAILED, UNANSWERED)
_ERROR = 400
_PRINCIPALS = ("user", "servicePrincipal", "group")
_FILTERS: dict[str, Callable[["_Told", Record, str], bool]] = {
    "who": lambda told, one, text: text in f"{told.name(one.object_id)} {one.object_id} {one.client_id}".lower(),
    "host": lambda told, one, text: text in one.host,
    "method": lambda told, one, text: one.method.lower() == text,
    "status": lambda told, one, text: str(one.status).startswith(text.rstrip("x")),
    "outcome": lambda told, one, text: _outcome(one) == text,
    "client": lambda told, one, text: text in one.client.lower(),
    "notClient": lambda told, one, text: text not in one.client.lower(),
    "text": lambda told, one, text: text in f"{one.path} {one.action} {one.scope} {one.code}".lower(),
}
"""Whether a request is one of those asked for; texts are compared in lower case."""
FILTERS = tuple(_FILTERS)


def listed(cloud: Cloud, recorder: Recorder, query: Mapping[str, str], since: int | None, limit: int) -> Answer:
    """The requests that are asked for, the oldest first.

    Args:
        cloud: Knows names.
        recorder: Has the requests.
        query: Filters by name; `principal` is who looks.
        since: Only requests of higher numbers, the first of them; None for the last ones.
        limit: How many at most.
    """
    told = _Told(cloud)
    may = visible(cloud.access, query.get("principal", ""), EVENTS)
    subscription = f"/subscriptions/{cloud.seed['subscriptions'][0]['id']}"  # for what has no scope
    filters = [(fits, query[name].lower()) for name, fits in _FILTERS.items() if query.get(name)]
    last = recorder.last
    shown: list[Answer] = []
    records = recorder.records()
    for record in (one for one in records if one.number > since) if since is not None else reversed(records):
        if len(shown) == limit:
            if since is not None:
                last = shown[-1]["number"]
            break
        own = record.object_id == query.get("principal", "")
        if all(fits(told, record, text) for fits, text in filters) and (own or may(record.scope or subscription)):
            shown.append(told.request(record))
    return {
        "requests": shown if since is not None else shown[::-1],
        "last": last,
        "bodies": recorder.bodies,
        "kept": len(records),
        "dropped": recorder.dropped,
    }


class _Told:
    """Names of principals, roles and assignments, looked up once for an answer."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.name: Callable[[str], str] = cache(self._name)
        self.role = cache(self._role)
        self.assignment = cache(self._assignment)
        self.missing = cache(self._missing)

    def request(self, record: Record) -> Answer:
        """A request as the socket's clients get it."""
        return {
            "number": record.number,
            "time": record.time.isoformat(timespec="milliseconds"),
            "milliseconds": record.milliseconds,
            "method": record.method,
            "host": record.host,
            "path": record.path,
            "query": record.query,
            "client": record.client,
            "who": {
                "name": self.name(record.object_id),
                "objectId": record.object_id,
                "clientId": record.client_id,
                "credential": record.credential,
            },
            "action": record.action,
            "scope": record.scope,
            "outcome": _outcome(record),
            "status": record.status,
            "code": record.code,
            "assignment": self.assignment(record.assignment),
            "missing": self.missing(record.missing) if record.missing and record.refused else None,
            "requestBody": record.request_body,
            "responseBody": record.response_body,
        }

    def _name(self, object_id: str) -> str:
        found = next(filter(None, (self._cloud.store.get(kind, object_id.lower()) for kind in _PRINCIPALS)), {})
        return str(found.get("userPrincipalName") or found.get("displayName") or "")

    def _role(self, guid: str) -> str:
        role = built_in_roles().get(guid)
        if role is not None:
            return str(role["roleName"])
        own = (one for one in self._cloud.store.list("roleDefinition") if one["name"].lower() == guid)
        return next((str(one["properties"]["roleName"]) for one in own), guid)

    def _assignment(self, key: str) -> Answer | None:
        """The role assignment of an id; None for none, its id alone where it is gone by now."""
        if not key:
            return None
        found = self._cloud.store.get("roleAssignment", key)
        if found is None:
            return {"id": key, "role": "", "scope": "", "principal": ""}
        body = found["properties"]
        return {
            "id": found["id"],
            "role": self.role(body["roleDefinitionId"].rsplit("/", 1)[-1].lower()),
            "scope": body["scope"],
            "principal": self.name(body["principalId"]) or body["principalId"],
        }

    def _missing(self, missing: Missing) -> Answer:
        """The right that a caller lacks, and the roles that have it, the narrowest first."""
        roles = self._cloud.access.roles_with(missing.actions, data=missing.data)[:MOST_ROLES]
        return {
            "actions": list(missing.actions),
            "scope": missing.scope,
            "data": missing.data,
            "roles": [self.role(role) for role in roles],
        }


def _outcome(record: Record) -> str:
    if record.refused:
        return REFUSED
    if not record.status:
        return UNANSWERED
    return FAILED if record.status >= _ERROR else ALLOWED
