"""Who gets in: the right host name, the own origin, and a cookie that a one-time token was exchanged for.

Cookies ignore ports, so each persona of each sandbox has a host name of its own below `localhost`. The token of a
printed address counts once: it is the name of a file, which whoever comes first removes.
"""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.studio import tickets
from sandbox.studio.address import SIGN_IN, local
from sandbox.studio.render import page

COOKIE = "studio"
PUBLIC = "/static/"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""What every answer has, unless it has its own."""
HOW = "Run `python -m sandbox studio` for an address that lets you in."


class Door:
    """An application behind the checks; `scope["state"]["persona"]` is who came in.

    Args:
        app: What is behind it.
        folder: The studio's folder, with the tickets.
        hosts: Personas by `host:port`.
    """

    def __init__(self, app: ASGIApp, folder: Path, hosts: dict[str, str]) -> None:
        self._app, self._folder, self._hosts = app, folder, hosts
        self._sessions: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request, or refuses it."""
        headers = Headers(scope=scope)
        persona = self._hosts.get(headers.get("host", ""))
        answer: Response | None = None
        if persona is None:
            answer = PlainTextResponse(f"This is the studio of a sandbox, under another host name. {HOW}\n", 421)
        elif (reason := self._foreign(scope["method"], headers)) is not None:
            answer = PlainTextResponse(f"{reason}\n", 403)
        elif scope["path"] == SIGN_IN:
            answer = self._sign_in(persona, scope)
        elif not scope["path"].startswith(PUBLIC) and self._persona(headers) != persona:
            answer = self._without_cookie(scope, headers)
        scope.setdefault("state", {})["persona"] = persona
        await (answer or self._app)(scope, receive, _with_headers(send))

    @staticmethod
    def _foreign(method: str, headers: Headers) -> str | None:
        """Why a request counts as another page's; None for one of ours, and for an address that a person opens."""
        own = f"http://{headers.get('host')}"
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None and origin != own:
            return "A page of another origin sent this request, so the studio refuses it."
        if method not in ("GET", "HEAD") and origin is None:
            return "A request that changes something must say its origin, and this one says none."
        if site in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate":
            return "A page of another site sent this request, so the studio refuses it."
        return None

    @staticmethod
    def _without_cookie(scope: Scope, headers: Headers) -> Response:
        """A refusal; where another site led here, a page that asks again, since the strict cookie stayed away."""
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and scope["method"] == "GET":
            target = local(quote(scope["path"]), scope["query_string"].decode("latin-1"))
            return HTMLResponse(page("enter.html.j2", title="Studio", target=target))
        return _told(403, "You are not signed in", f"This browser has no cookie for this page. {HOW}")

    def _sign_in(self, persona: str, scope: Scope) -> Response:
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        target = tickets.take(self._folder, persona, token)
        if target is None:
            return _told(
                403, "This address was used already", f"A token counts once, for {tickets.SECONDS // 60} minutes. {HOW}"
            )
        session = secrets.token_urlsafe(32)
        self._sessions[tickets.hashed(session)] = persona
        # A page of its own goes on: a redirect would still count as the request of whoever linked here, and so the
        # browser would keep the strict cookie back.
        answer = HTMLResponse(page("enter.html.j2", title="Signed in", target=target))
        answer.set_cookie(COOKIE, session, httponly=True, samesite="strict", path="/")
        return answer

    def _persona(self, headers: Headers) -> str | None:
        """Whose cookie it is."""
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return None
        return self._sessions.get(tickets.hashed(cookie.value)) if cookie else None


def _told(status: int, title: str, text: str) -> HTMLResponse:
    return HTMLResponse(page("told.html.j2", title=title, text=text), status)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
