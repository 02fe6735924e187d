"""The application: addresses, forms, JSON, and refusals in plain sentences."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount
from starlette.routing import Route as HttpRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from sandbox.ask import NotPossibleError
from sandbox.control import SandboxError
from sandbox.studio.azure import Azure, Refused
from sandbox.studio.pages import PAGES
from sandbox.studio.render import STATIC, page, pretty
from sandbox.studio.visit import Done, Missing, Page, Route, View, Visit

log = logging.getLogger(__name__)
MAX_FORM = 1024 * 1024  # bytes
TITLES = {403: "Not allowed", 404: "Not found", 503: "No answer"}


def application(directory: Path, environments: Mapping[str, Mapping[str, str]]) -> Starlette:
    """The pages, for whoever the door let in.

    Args:
        directory: The sandbox's folder.
        environments: What `python -m sandbox env` exports, by persona.
    """
    clients = {persona: Azure(environment) for persona, environment in environments.items()}
    mounted = [_http(one, route, clients, directory) for one in PAGES for route in one.routes]
    static = Mount("/static", _Static(directory=STATIC))
    return Starlette(routes=[static, *mounted], exception_handlers={HTTPException: _unknown})


class _Static(StaticFiles):
    """Files that a browser keeps where their address names their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; Starlette's `HTTPException` where there is none."""
        answer = await super().get_response(path, scope)
        if scope["query_string"]:
            answer.headers["Cache-Control"] = "max-age=31536000, immutable"
        return answer


def _http(owner: Page, route: Route, clients: Mapping[str, Azure], directory: Path) -> HttpRoute:
    async def serve(request: Request) -> Response:
        persona = request.scope["state"]["persona"]
        visit = Visit(request, clients[persona], persona, directory, await _form(request))
        return await run_in_threadpool(_answer, owner, route, visit)

    return HttpRoute(route.path, serve, methods=[route.method])


async def _form(request: Request) -> dict[str, str]:
    if request.method != "POST":
        return {}
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > MAX_FORM:
            raise HTTPException(413, f"A form has at most {MAX_FORM} bytes.")
    return dict(parse_qsl(data.decode(errors="replace"), keep_blank_values=True))


def _answer(owner: Page, route: Route, visit: Visit) -> Response:
    """What a page's function gives, as an answer."""
    try:
        return _response(owner, route.show(visit), visit)
    except Refused as refused:
        title = f"{TITLES.get(refused.status, 'Refused')}: {refused.code}"
        shown = _error(refused.status, title, refused.message, code=refused.code)
    except Missing as missing:
        shown = _error(404, "Not found", str(missing))
    except NotPossibleError as error:
        shown = _error(400, "Not possible", str(error))
    except SandboxError as error:
        shown = _error(503, "No answer", str(error))
    except Exception:
        log.exception("%s failed", visit.request.url.path)
        shown = _error(500, "The studio failed", "Its log, studio/log.txt in the sandbox's folder, has the cause.")
    return _response(owner, shown, visit)


def _response(owner: Page, shown: View | Done | Response, visit: Visit) -> Response:
    if isinstance(shown, Done):
        return RedirectResponse(shown.to, 303)
    if isinstance(shown, Response):
        return shown
    if visit.query["format"] == "json":
        return Response(pretty(shown.data), shown.status, media_type="application/json")
    return HTMLResponse(_html(owner, shown, visit), shown.status)


def _error(status: int, title: str, text: str, **more: str) -> View:
    return View("error.html.j2", title, {"error": {"status": status, "message": text, **more}}, status=status)


def _html(owner: Page | None, view: View, visit: Visit) -> str:
    return page(
        view.template,
        title=view.title,
        visit=visit,
        chosen=_chosen(visit),
        pages=PAGES,
        owner=owner,
        **view.data,
        **view.extra,
    )


def _chosen(visit: Visit) -> object:
    """The workspace for the frame around a page; None where Azure refuses to tell, as the page itself then says."""
    try:
        return visit.chosen
    except Refused:
        visit.__dict__.update(workspaces=[], chosen=None)
        return None


async def _unknown(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    text = "The studio has no such page." if error.status_code == 404 else str(error.detail)  # noqa: PLR2004
    if request.query_params.get("format") == "json":
        body = {"error": {"status": error.status_code, "message": text}}
        return Response(json.dumps(body), error.status_code, media_type="application/json")
    title = TITLES.get(error.status_code, "Refused")
    return HTMLResponse(page("told.html.j2", title=title, text=text), error.status_code)
