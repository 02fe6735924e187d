"""The resource manager's protocol: reading, creating, long-running operations, deleting."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from sandbox.providers.http import MANAGEMENT, Client, Failure, Refused, refusal, retry_after
from sandbox.providers.values import Properties

_WRITE_POLL, _DELETE_POLL = 10.0, 30.0  # seconds between polls where the service names none (azure-native's)
_TIMEOUT = 7200.0  # seconds, where the resource sets none
_OPERATION = "azure-asyncoperation"
_ACCEPTED = (200, 201, 202, 204)
# azcore's: codes, in lower case, of a resource provider that the subscription lacks; tries, waits, api-version.
_UNREGISTERED = {
    "missingsubscriptionregistration",
    "missingregistrationforresourceprovider",
    "subscription not registered",
    "subscriptionnotregistered",
}
_REGISTRATIONS, _REGISTER_POLL, _REGISTERING, _PROVIDERS_VERSION = 3, 15.0, 300.0, "2019-05-01"
_ENDED = {"succeeded", "failed", "canceled", "cancelled"}
# The 404s that mean a resource is gone; others may come from a proxy on the way (azure-native since 3.11). Its list has
# neither storage's ContainerNotFound nor Azure ML's UserError, so that a refresh of such a resource fails there, too.
_GONE = {
    "NotFound",
    "ResourceNotFound",
    "ResourceGroupNotFound",
    "LockNotFound",
    "ParentResourceNotFound",
    "EntityNotFound",
    "SubscriptionNotFound",
    "RoleAssignmentNotFound",
}


class Unfinished(Failure):
    """The service accepted a write and failed later: the resource exists, in whatever state."""


@dataclass(frozen=True)
class Target:
    """A resource at an API version.

    Attributes:
        id: Its id.
        version: The api-version to ask for.
        query: Further query parameters of a write.
    """

    id: str
    version: str
    query: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        """The resource's URL."""
        return MANAGEMENT + self.id


class Arm:
    """Calls to management.azure.com."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def get(self, target: Target, query: Properties | None = None) -> Properties:
        """The resource.

        Raises:
            Refused: The answer has another status than 200.
        """
        answer = self._request("GET", target.url, {"api-version": target.version, **(query or {})}, accepted=(200,))
        return _object(answer)

    def find(self, target: Target, query: Properties | None = None) -> Properties | None:
        """The resource; None where Azure itself says that it is gone.

        Raises:
            Refused: Any other error, a 404 of unknown origin included.
        """
        try:
            return self.get(target, query)
        except Refused as refused:
            if refused.status == requests.codes.not_found and refused.code in _GONE:
                return None
            raise

    def check_absent(self, target: Target, *, singleton: bool) -> None:
        """Makes sure that a create would not overwrite anything.

        Raises:
            Failure: The resource exists, or whether it does cannot be told.
        """
        every = tuple(range(200, 600))
        answer = self._request("GET", target.url, {"api-version": target.version}, accepted=every)
        status = answer.status_code
        if status == requests.codes.ok and not singleton and _object(answer):
            raise Failure(f"cannot create already existing resource '{target.id}'")
        if status not in (requests.codes.ok, requests.codes.no_content, requests.codes.not_found):
            raise Failure(
                f"cannot check existence of resource '{target.id}': status code {status}, {answer.text.strip()}"
            )

    def write(self, target: Target, body: Properties, *, seconds: float, long_running: bool) -> Properties:
        """PUTs the body and waits for the end; PATCHes it where it says that something is to be removed.

        Returns:
            What the service answered in the end, as azcore's pollers have it.

        Raises:
            Refused: The service refused the request at once.
            Unfinished: It accepted, then failed.
        """
        method = "PATCH" if _removes(body) else "PUT"
        query = {"api-version": target.version, **dict(target.query)}
        first = self._request(method, target.url, query, body=body, accepted=(200, 201, 202))
        try:
            last = self._wait(first, target, _Deadline(seconds), _WRITE_POLL, by_state=long_running)
            if _OPERATION in first.headers:  # whose end says nothing of the resource
                last = self._request("GET", target.url, {"api-version": target.version})
        except Failure as failure:
            raise Unfinished(str(failure)) from failure
        return _object(last)

    def delete(self, target: Target, *, seconds: float) -> None:
        """Deletes the resource and waits for the end. A resource that does not exist counts as deleted.

        Raises:
            Failure: The service refused or failed.
        """
        try:
            answer = self._request("DELETE", target.url, {"api-version": target.version}, accepted=(200, 202, 204))
            self._wait(answer, target, _Deadline(seconds), _DELETE_POLL, by_state=False)
        except Refused as refused:
            if refused.status != requests.codes.not_found:
                raise

    def act(self, target: Target, action: str) -> Any:
        """POSTs an action and returns its JSON.

        Raises:
            Refused: The service refused.
        """
        url, query = f"{target.url}/{action}", {"api-version": target.version}
        return self._request("POST", url, query, body={}, accepted=(200, 201)).json()

    def _request(
        self, method: str, url: str, query: Properties, accepted: tuple[int, ...] = _ACCEPTED, **options: Any
    ) -> requests.Response:
        """Sends a request. A resource provider that the subscription has not registered is registered first.

        As azcore does (arm/runtime/policy_register_rp.go): registering waits until Azure has carried it out.
        """
        conflict = int(requests.codes.conflict)
        for _ in range(_REGISTRATIONS):
            answer = self._client.request(
                method, url, audience=MANAGEMENT, query=query, accepted=(*accepted, conflict), **options
            )
            if answer.status_code != conflict or refusal(answer, method).code.lower() not in _UNREGISTERED:
                break
            self._register(url)
        else:
            raise Failure(f"exceeded attempts to register {_provider_url(url).rpartition('/')[2]}")
        if answer.status_code not in accepted:
            raise refusal(answer, method)
        return answer

    def _register(self, url: str) -> None:
        """Register the resource provider of a resource, and wait until it is registered."""
        provider, query = _provider_url(url), {"api-version": _PROVIDERS_VERSION}
        self._client.request("POST", f"{provider}/register", audience=MANAGEMENT, query=query, accepted=(200,))
        deadline = _Deadline(_REGISTERING)
        while True:
            answer = self._client.request("GET", provider, audience=MANAGEMENT, query=query, accepted=(200,))
            if str(_object(answer).get("registrationState", "")).lower() == "registered":
                return
            self._client.wait(deadline.within(_REGISTER_POLL))

    def _wait(
        self, answer: requests.Response, target: Target, deadline: "_Deadline", pause: float, *, by_state: bool
    ) -> requests.Response:
        """Follows the operation to its last answer: by Azure-AsyncOperation, else Location, else provisioningState."""
        if _OPERATION in answer.headers:
            url, finished = answer.headers[_OPERATION], _operation_ended
        elif "location" in answer.headers and (by_state or answer.status_code == requests.codes.accepted):
            url, finished = answer.headers["location"], _location_ended
        elif by_state:
            url, finished = target.url, _state_ended
            if finished(answer):
                return answer
        else:
            return answer
        while True:
            self._client.wait(deadline.within(retry_after(answer, pause)))
            answer = self._client.request("GET", _absolute(url), audience=MANAGEMENT, query=_version(url, target))
            if finished(answer):
                return answer


class _Deadline:
    """The time at which a long-running operation is given up."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + (seconds or _TIMEOUT)

    def within(self, seconds: float) -> float:
        """The wait, if it ends in time.

        Raises:
            Failure: It does not.
        """
        if time.monotonic() + seconds > self._end:
            raise Failure("operation timed out")
        return seconds


def _provider_url(url: str) -> str:
    """The subscription's resource provider that a resource's URL names last."""
    subscription, _, rest = url.removeprefix(MANAGEMENT + "/subscriptions/").partition("/")
    namespace = ("/" + rest).lower().rpartition("/providers/")[2].partition("/")[0]
    return f"{MANAGEMENT}/subscriptions/{subscription}/providers/{namespace}"


def _operation_ended(answer: requests.Response) -> bool:
    return _ended(answer, str(_object(answer).get("status", "")))


def _location_ended(answer: requests.Response) -> bool:
    return answer.status_code != int(requests.codes.accepted) and _state_ended(answer)


def _state_ended(answer: requests.Response) -> bool:
    properties = _object(answer).get("properties")
    state = properties.get("provisioningState") if isinstance(properties, dict) else None
    return _ended(answer, str(state or "succeeded"))


def _ended(answer: requests.Response, state: str) -> bool:
    if state.lower() in _ENDED - {"succeeded"}:
        raise refusal(answer, "GET")
    return state.lower() in _ENDED


def _absolute(url: str) -> str:
    return url if url.startswith("https://") else MANAGEMENT + url


def _version(url: str, target: Target) -> Properties | None:
    return None if "api-version" in parse_qs(urlsplit(url).query) else {"api-version": target.version}


def _object(answer: requests.Response) -> Properties:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _removes(body: Any) -> bool:
    if isinstance(body, dict):
        return any(value is None or _removes(value) for value in body.values())
    return False
