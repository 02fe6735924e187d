"""HTTPS to Azure's public hosts: sign-in with a client secret, retries as Azure's SDK for Go makes them, clear errors.

Proxy and certificate authority come from the environment (`HTTPS_PROXY`, `REQUESTS_CA_BUNDLE`, `SSL_CERT_FILE`), as for
any client, so the same code talks to Azure or to the sandbox.
"""

import base64
import email.utils
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import requests

ENTRA: Final = "https://login.microsoftonline.com"
MANAGEMENT: Final = "https://management.azure.com"
GRAPH: Final = "https://graph.microsoft.com"
VAULT: Final = "https://vault.azure.net"

_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_RETRIES: Final = 3  # of a request, whether it was refused or broke: azcore's setDefaults
_FIRST_WAIT: Final = 20.0  # seconds; the next ones are 60 and 120 (azure-native's azcore options)
_LONGEST_WAIT: Final = 120.0
# Seconds before a request is sent again whose connection broke: at once, since a pooled one may have gone stale, then
# later. azure-native waits as for `_FIRST_WAIT`; nobody asks to wait longer here.
_RECONNECTS: Final = (0.0, 1.0, 5.0)
_REPEATABLE: Final = frozenset({"GET", "PUT", "DELETE"})  # after half an answer: azcore's newBodyDownloadError
_TIMEOUT: Final = (10, 300)  # seconds to connect and to answer
_DISTRUST: Final = "CERTIFICATE_VERIFY_FAILED"  # OpenSSL's word; its other errors are connections that broke
_GO_WORDS: Final = {
    "IncompleteRead": "unexpected EOF",
    "Connection reset by peer": "connection reset by peer",
    "RemoteDisconnected": "EOF",
    "timed out": "i/o timeout",
}
_SIGN_IN: Final = 'For the sandbox: eval "$(python -m sandbox env)".'


class Failure(Exception):  # noqa: N818 (the word of Pulumi's protocol)
    """An operation failed; the text is for the user."""


class Refused(Failure):
    """Azure answered with an error.

    Attributes:
        status: HTTP status.
        code: Azure's error code; empty where the body has none.
        message: Azure's words, or the whole body.
    """

    def __init__(self, status: int, code: str, message: str, request: str) -> None:
        self.status, self.code, self.message = status, code, message
        named = f' Code="{code}"' if code else ""
        super().__init__(f'Status={status}{named} Message="{message}" ({request})')


def setting(config: dict[str, Any], name: str, variable: str) -> str:
    """A provider's setting, else the environment's: `ARM_…`, then `AZURE_…`; empty if there is none."""
    return str(config.get(name) or os.environ.get("ARM_" + variable) or os.environ.get("AZURE_" + variable) or "")


@dataclass(frozen=True)
class Credentials:
    """The credentials of the provider. An empty part is an error only when a token is needed.

    Attributes:
        package: Pulumi's name of the provider, for messages.
        client_id: Application (client) id.
        client_secret: Its secret.
        tenant_id: Directory id.
    """

    package: str
    client_id: str
    client_secret: str = field(repr=False)
    tenant_id: str

    @classmethod
    def read(cls, package: str, config: dict[str, Any]) -> "Credentials":
        """From provider config, else from the environment: `ARM_*`, then `AZURE_*`."""
        return cls(
            package,
            setting(config, "clientId", "CLIENT_ID"),
            setting(config, "clientSecret", "CLIENT_SECRET"),
            setting(config, "tenantId", "TENANT_ID"),
        )

    def check(self) -> None:
        """Makes sure that a sign-in can be tried.

        Raises:
            Failure: Something is missing; the text says what to set.
        """
        parts = {"clientId": self.client_id, "clientSecret": self.client_secret, "tenantId": self.tenant_id}
        missing = [name for name, value in parts.items() if not value]
        if missing:
            variables = "ARM_CLIENT_ID, ARM_CLIENT_SECRET and ARM_TENANT_ID (or AZURE_… alike)"
            raise Failure(
                f"Not signed in to Azure: {', '.join(missing)} not set. Set {variables}, or "
                f"`pulumi config set {self.package}:{missing[0]} …`. {_SIGN_IN}"
            )


class Client:
    """Requests with a bearer token. May be used from many threads."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._local = threading.local()
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[str, float]] = {}
        self._proxies: dict[str, dict[str, str]] = {}
        self.cancelled = threading.Event()

    def token(self, audience: str) -> str:
        """An access token for an audience such as `https://management.azure.com`, kept until shortly before its end."""
        with self._lock:
            token, end = self._tokens.get(audience, ("", 0.0))
            if time.monotonic() >= end:
                token, lifetime = self._sign_in(audience)
                self._tokens[audience] = (token, time.monotonic() + lifetime * 0.9)
            return token

    def claims(self, audience: str) -> dict[str, Any]:
        """The claims of the token for an audience; its signature is not checked."""
        body = self.token(audience).split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return claims

    def _sign_in(self, audience: str) -> tuple[str, float]:
        self._credentials.check()
        url = f"{ENTRA}/{self._credentials.tenant_id}/oauth2/v2.0/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "scope": f"{audience}/.default",
        }
        answer = self._send("POST", url, dict, data=form)
        body = _json(answer)
        if answer.status_code != requests.codes.ok or "access_token" not in body:
            said = body.get("error_description") or answer.text[:500]
            who = f"Sign-in to Azure as client '{self._credentials.client_id}'"
            raise Failure(f"{who} failed: Status={answer.status_code} {said} {_SIGN_IN}")
        return str(body["access_token"]), float(body.get("expires_in", 300))

    def request(
        self,
        method: str,
        url: str,
        *,
        audience: str,
        query: dict[str, Any] | None = None,
        body: Any = None,
        accepted: tuple[int, ...] = (200, 201, 202, 204),
    ) -> requests.Response:
        """Sends one request, again where the service asks for it.

        Args:
            method: GET, PUT, …
            url: Absolute.
            audience: Whom the token is for.
            query: Added to the URL.
            body: Sent as JSON, unless None.
            accepted: The statuses that are no error.

        Raises:
            Refused: Another status.
            Failure: No answer, or not signed in.
        """
        options: dict[str, Any] = {"params": query} if query else {}
        if body is not None:
            options["json"] = body

        def headers() -> dict[str, str]:
            return {"Authorization": "Bearer " + self.token(audience), "Accept": "application/json"}

        answer = self._send(method, url, headers, **options)
        if answer.status_code == requests.codes.unauthorized:  # as azcore: refused for now, and the next one signs in
            with self._lock:
                self._tokens.pop(audience, None)
        if answer.status_code not in accepted:
            raise refusal(answer, method)
        return answer

    def wait(self, seconds: float) -> None:
        """Waits, unless the engine cancels.

        Raises:
            Failure: It did.
        """
        if self.cancelled.wait(seconds):
            raise Failure("The operation was cancelled.")

    def _send(self, method: str, url: str, headers: Callable[[], dict[str, str]], **options: Any) -> requests.Response:
        """The answer, after as many tries as azcore makes, whatever is in their way."""
        for attempt in range(_RETRIES + 1):
            last = attempt == _RETRIES
            try:
                answer = self._session().request(
                    method, url, headers=headers(), timeout=_TIMEOUT, proxies=self._proxies_to(url), **options
                )
            except requests.exceptions.RequestException as error:
                if last or not _broken(method, error):
                    raise Failure(_trouble(method, url, error)) from error
                pause = _RECONNECTS[attempt]
            else:
                if last or not _worth_repeating(answer):
                    return answer
                pause = retry_after(answer, min(_FIRST_WAIT * (2 ** (attempt + 1) - 1), _LONGEST_WAIT))
            self.wait(pause)
        raise AssertionError

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False  # it would read all variables and ~/.netrc again for each request
            bundles = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"))
            session.verify = next(filter(None, bundles), True)
        return session

    def _proxies_to(self, url: str) -> dict[str, str]:
        """The proxies that the environment names for the host of a URL."""
        host = _host(url)
        if host not in self._proxies:
            self._proxies[host] = requests.utils.get_environ_proxies(url)
        return self._proxies[host]


def refusal(answer: requests.Response, method: str) -> Refused:
    """The error in an answer: Azure's code and message, else the whole body, and the request it is about."""
    body = _json(answer)
    error = body.get("error")
    error = error if isinstance(error, dict) else {}
    code = answer.headers.get("x-ms-error-code") or error.get("code") or body.get("code") or ""
    details = [detail for detail in error.get("details") or () if isinstance(detail, dict)]
    said = [
        str(error.get("message") or answer.text),
        *(f"{detail.get('code')}: {detail.get('message')}" for detail in details),
    ]
    text = " ".join(said)
    return Refused(answer.status_code, str(code), text, f"{method} {_path(answer.url).removeprefix(MANAGEMENT)}")


def retry_after(answer: requests.Response, otherwise: float) -> float:
    """Seconds that the service asks to wait: `Retry-After`, also its milliseconds and date forms."""
    for header in ("retry-after-ms", "x-ms-retry-after-ms"):
        if header in answer.headers:
            return float(answer.headers[header]) / 1000
    asked = answer.headers.get("retry-after", "")
    if asked.isdecimal():
        return float(asked)
    date = email.utils.parsedate_to_datetime(asked) if asked else None
    return max(0.0, date.timestamp() - time.time()) if date else otherwise


def _worth_repeating(answer: requests.Response) -> bool:
    busy = answer.status_code == requests.codes.conflict and refusal(answer, "").code == "AnotherOperationInProgress"
    return answer.status_code in _RETRIED or busy


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _host(url: str) -> str:
    return url.split("/")[2]


def _path(url: str) -> str:
    return url.partition("?")[0]


def _broken(method: str, error: requests.exceptions.RequestException) -> bool:
    """Whether the connection broke, so that the request may be sent again."""
    if _DISTRUST in str(error):
        return False
    if isinstance(error, requests.exceptions.ProxyError):  # also what urllib3 says of any break behind a proxy
        return "Connection refused" not in str(error) and "Tunnel connection failed" not in str(error)
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return method in _REPEATABLE
    return isinstance(error, requests.exceptions.ConnectionError)


def _trouble(method: str, url: str, error: requests.exceptions.RequestException) -> str:
    if _DISTRUST in str(error):
        return (
            f"{_host(url)}: the certificate is not trusted ({error}). REQUESTS_CA_BUNDLE or SSL_CERT_FILE must name "
            f"the certificate authority. {_SIGN_IN}"
        )
    if isinstance(error, requests.exceptions.ProxyError) and not _broken(method, error):
        return _proxy_trouble(url, error)
    if isinstance(error, requests.exceptions.ConnectionError):
        words = f"{_host(url)} cannot be reached, or ends connections without an answer ({method} {_path(url)})"
        return f"{words}: {_in_go(error)}"
    return f"{method} {_path(url)} failed: {_in_go(error)}"


def _in_go(error: requests.exceptions.RequestException) -> str:
    """The error in the words of Go's net/http, if it has any: programs look for these words."""
    text = str(error)
    return next((words for mark, words in _GO_WORDS.items() if mark in text), text)


def _proxy_trouble(url: str, error: Exception) -> str:
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or "the proxy"
    if "403" in str(error):
        return f"The proxy {proxy} does not let {_host(url)} through: the sandbox emulates no such host."
    return (
        f"The proxy {proxy} (HTTPS_PROXY) does not answer. Is the sandbox running? `python -m sandbox start` starts it."
    )
