"""Microsoft Graph v1.0, as the azuread stand-in calls it."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import requests

from sandbox.providers.http import GRAPH, Client, Failure, Refused
from sandbox.providers.values import Properties

ROOT: Final = GRAPH + "/v1.0"
_PAUSE = 1.0  # seconds between looks at what the directory has not replicated yet


class Graph:
    """Calls to graph.microsoft.com."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def caller(self) -> str:
        """The object id of who is signed in."""
        return str(self._client.claims(GRAPH).get("oid", ""))

    def get(self, path: str, select: Sequence[str] = ()) -> Properties:
        """An object, with these properties or Graph's default ones.

        Raises:
            Refused: The answer has another status than 200.
        """
        query = {"$select": ",".join(select)} if select else None
        answer: Properties = self._call("GET", path, query=query, accepted=(200,)).json()
        return answer

    def find(self, path: str, select: Sequence[str] = ()) -> Properties | None:
        """An object; None where there is none."""
        try:
            return self.get(path, select)
        except Refused as refused:
            if refused.status == requests.codes.not_found:
                return None
            raise

    def all(self, path: str, select: Sequence[str] = (), **equal: Any) -> list[Properties]:
        """A collection, all its pages; `equal` filters by properties."""
        terms = [f"{name} eq {_literal(value)}" for name, value in equal.items()]
        query = {"$filter": " and ".join(terms)} if terms else {}
        query |= {"$select": ",".join(select)} if select else {}
        answer, items = self._call("GET", path, query=query, accepted=(200,)).json(), []
        while True:
            items += answer["value"]
            if "@odata.nextLink" not in answer:
                return items
            link = answer["@odata.nextLink"]
            answer = self._client.request("GET", link, audience=GRAPH, accepted=(200,)).json()

    def ids(self, path: str) -> list[str]:
        """The ids in a collection."""
        return [item["id"] for item in self.all(path)]

    def post(self, path: str, body: Properties) -> Properties:
        """Makes an object, or carries out an action; returns the answer's body."""
        answer = self._call("POST", path, body=body, accepted=(200, 201, 204))
        return answer.json() if answer.content else {}

    def patch(self, path: str, body: Properties) -> None:
        """Changes an object."""
        self._call("PATCH", path, body=body, accepted=(200, 204))

    def delete(self, path: str) -> None:
        """Deletes an object. An object that does not exist counts as deleted."""
        self._call("DELETE", path, accepted=(200, 204, 404))

    def wait_until(self, sight: Callable[[], Any], what: str, *, seconds: float) -> Any:
        """Looks again until there is something to see, since the directory replicates; what was seen.

        Raises:
            Failure: There was nothing within `seconds`.
        """
        end = time.monotonic() + seconds
        while not (seen := sight()):
            if time.monotonic() + _PAUSE > end:
                raise Failure(f"Timed out whilst waiting for {what} to be replicated in Azure AD")
            self._client.wait(_PAUSE)
        return seen

    def _call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._client.request(method, ROOT + path, audience=GRAPH, **options)


def reference(identifier: str) -> str:
    """The address by which a body names a directory object."""
    return f"{ROOT}/directoryObjects/{identifier}"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"
