"""Requests to the local Azure, as a persona."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit
from xml.sax.saxutils import unescape

import urllib3

from sandbox.ask import STUDIO

ARM, GRAPH, ML = "https://management.azure.com", "https://graph.microsoft.com", "https://ml.azure.com"
STORAGE, VAULT = "https://storage.azure.com", "https://vault.azure.net"
API = "2024-10-01"
"""The version of the resource manager's Azure ML requests."""
AUDIENCES = {
    ".core.windows.net": STORAGE,
    ".vault.azure.net": VAULT,
    ".ml.azure.com": ML,
    ".api.azureml.ms": ML,
}
"""Whom a token is for, by the end of the host's name; any other host is its own audience."""
NAMED = {"api_version": "api-version"}
TIMEOUT = urllib3.Timeout(connect=5, read=60)
AT_ONCE = 8
PART = 1024 * 1024  # bytes of a stream that are in memory at once
UNAUTHORIZED, FAILURE = 401, 400
OLD = 60  # seconds before its end at which a token is no longer used
_STORAGE = re.compile(r"<Error>\s*<Code>([^<]*)</Code>\s*<Message>([^<]*)</Message>")
Item = TypeVar("Item")
Found = TypeVar("Found")


class Refused(Exception):  # noqa: N818 # what a page shows
    """The local Azure refuses a request.

    Attributes:
        status: The HTTP status.
        code: Azure's code, such as `AuthorizationFailed`.
        message: Azure's sentence, which names the missing action.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Answer:
    """What the local Azure answered.

    Attributes:
        status: The HTTP status.
        headers: By name, in any letter case.
        data: The body.
    """

    status: int
    headers: Mapping[str, str]
    data: bytes

    def json(self, read: Callable[[dict[str, Any]], Any] | None = None) -> Any:
        """The body; None where it is empty.

        Args:
            read: Gives what stands for each object, the inner ones first; the object itself where it is None.
        """
        return json.loads(self.data, object_hook=read) if self.data.strip() else None


class Azure:
    """A persona's client, for any number of threads.

    Args:
        environment: The variables that `python -m sandbox env` exports for the persona.

    Attributes:
        tenant: The tenant's id.
        people: Names by object id that were found so far, see `people`.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._http = urllib3.ProxyManager(
            environment["HTTPS_PROXY"], ca_certs=environment["SSL_CERT_FILE"], timeout=TIMEOUT, retries=False, maxsize=8
        )
        self._environment = environment
        self._tokens: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()
        self.tenant = environment["AZURE_TENANT_ID"]
        self.people: dict[str, str] = {}

    @property
    def object_id(self) -> str:
        """The persona's object id in the tenant."""
        claims = self.token(ARM).split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["oid"])

    def token(self, audience: str, anew: bool = False) -> str:
        """A token for an audience, kept until shortly before its end."""
        with self._lock:
            token, ends = self._tokens.get(audience, ("", 0.0))
            if anew or ends < time.monotonic() + OLD:
                told = self._sign_in(audience)
                token, ends = told["access_token"], time.monotonic() + float(told["expires_in"])
                self._tokens[audience] = token, ends
            return token

    def _sign_in(self, audience: str) -> dict[str, Any]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._environment["AZURE_CLIENT_ID"],
            "client_secret": self._environment["AZURE_CLIENT_SECRET"],
            "scope": f"{audience}/.default",
        }
        told: dict[str, Any] = self._send(
            "POST",
            f"https://login.microsoftonline.com/{self.tenant}/oauth2/v2.0/token",
            {"Content-Type": "application/x-www-form-urlencoded"},
            urlencode(form).encode(),
        ).json()
        return told

    def send(
        self, method: str, url: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **query: Any
    ) -> Answer:
        """One request with the persona's token.

        Args:
            method: HTTP method.
            url: Whole address; characters other than those of an address are quoted by the caller.
            body: Sent as JSON; bytes as they are.
            headers: More headers; `Authorization` replaces the token.
            query: Parameters; those that are None are left out. `api_version` stands for `api-version`.

        Raises:
            Refused: The local Azure refuses it, or does not answer.
        """
        given = {NAMED.get(name, name): value for name, value in query.items() if value is not None}
        if given:
            url += ("&" if "?" in url else "?") + urlencode(given, doseq=True)
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"User-Agent": STUDIO, **({"Content-Type": "application/json"} if raw else {})}
        host = urlsplit(url).hostname or ""
        audience = next((found for end, found in AUDIENCES.items() if host.endswith(end)), f"https://{host}")
        for anew in (False, True):
            authorization = {}
            if "Authorization" not in (headers or {}):
                authorization["Authorization"] = f"Bearer {self.token(audience, anew)}"
            try:
                return self._send(method, url, {**sent, **authorization, **(headers or {})}, raw)
            except Refused as refused:
                if refused.status != UNAUTHORIZED or anew or "Authorization" in (headers or {}):
                    raise
        raise AssertionError("unreachable")

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        try:
            got = self._http.request(method, url, headers=headers, body=body, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise Refused(503, "NoAnswer", f"The local Azure does not answer: {_cause(error)}") from error
        if got.status >= FAILURE:
            raise _refusal(got.status, got.data)
        return Answer(got.status, got.headers, got.data)

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """What is at an address that needs no token, such as a signed one of storage.

        Raises:
            Refused: The local Azure refuses it.
        """
        return self._send("GET", url, headers or {}, None)

    def stream(self, url: str, headers: Mapping[str, str] | None = None) -> tuple[Mapping[str, str], Iterator[bytes]]:
        """Headers and parts of what is at an address that needs no token, or one that is among the headers.

        Raises:
            Refused: The local Azure refuses it.
        """
        got = self._http.request("GET", url, headers=headers, preload_content=False, redirect=False)
        if got.status >= FAILURE:
            raise _refusal(got.status, got.read())
        return got.headers, got.stream(PART)

    def get(self, url: str, **query: Any) -> Any:
        """The JSON at an address.

        Raises:
            Refused: The local Azure refuses it.
        """
        return self.send("GET", url, **query).json()

    def arm(self, path: str, *, api: str = API, **query: Any) -> Any:
        """What the resource manager has at a path, such as `/subscriptions`.

        Raises:
            Refused: The local Azure refuses it.
        """
        return self.get(ARM + quoted(path), api_version=api, **query)

    def listed(self, path: str, *, api: str = API, **query: Any) -> Iterator[Any]:
        """All entries of a list of the resource manager, page by page.

        Raises:
            Refused: The local Azure refuses it.
        """
        told = self.arm(path, api=api, **query)
        while True:
            yield from told["value"]
            if not told.get("nextLink"):
                return
            told = self.get(told["nextLink"])

    @staticmethod
    def all(ask: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
        """The answer for each item, in their order, several at a time.

        Raises:
            Refused: The first refusal.
        """
        listed = [*items]
        if len(listed) < 2:  # noqa: PLR2004 # no need of a thread
            return [ask(one) for one in listed]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [*pool.map(ask, listed)]


def quoted(path: str) -> str:
    """A path with every character that is not an address's quoted; slashes stay."""
    return quote(path, safe="/:@$&'()*+,;=~")


def _refusal(status: int, data: bytes) -> Refused:
    """A refusal in one of the forms that Azure's services have: JSON with an `error`, MLflow's, OAuth's, storage's."""
    try:
        told = json.loads(data)
    except ValueError:
        text = data.decode(errors="replace").strip()
        found = _STORAGE.search(text)
        if found:
            return Refused(status, found[1], unescape(found[2]))
        return Refused(status, "Refused", text[:2000] or f"status {status}")
    error = told.get("error") if isinstance(told, dict) else None
    if isinstance(error, dict):
        return Refused(status, str(error.get("code") or "Refused"), str(error.get("message") or ""))
    if isinstance(told, dict):
        return Refused(
            status,
            str(told.get("error_code") or error or "Refused"),
            str(told.get("message") or told.get("error_description") or f"status {status}"),
        )
    return Refused(status, "Refused", f"status {status}")


def _cause(error: BaseException) -> str:
    return str(error.args[-1] if error.args else error)
