"""What the gateway answers for ml.azure.com: the way to the local studio's page of the same address.

A page behind the gateway would need a persona, which a browser's request does not say; the studio's cookie does.
"""

from pathlib import Path

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.studio.address import local
from sandbox.studio.process import running

HOW = "No studio runs in this sandbox: start it with `python -m sandbox studio`.\n"


def redirect(directory: Path) -> ASGIApp:
    """The application for a sandbox's folder."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await _answer(directory, scope)(scope, receive, send)

    return serve


def _answer(directory: Path, scope: Scope) -> Response:
    studio = running(directory)
    if studio is None:
        return PlainTextResponse(HOW, 503)
    path = scope["raw_path"].partition(b"?")[0].decode("latin-1")
    return RedirectResponse(studio.origin(studio.last()) + local(path, scope["query_string"].decode("latin-1")), 307)
