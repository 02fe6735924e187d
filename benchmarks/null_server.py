"""A server behind the gateway that answers at once: the floor of what a storage client costs through proxy and TLS.

`python -m benchmarks.null_server FOLDER` writes its CA's certificate there and prints its port. A request's body is
read, and the answer is one that was ready before: for a blob `large` the bytes of FOLDER/content, for others 1 KiB.
"""

import asyncio
import re
import socket
import sys
from pathlib import Path
from typing import Any

import trustme

from sandbox.azure.front.gateway import Gateway

CHUNK = 256 * 1024  # bytes sent at a time
HOST = "null.blob.core.windows.net"
KIB = b"x" * 1024
_COMMON = {
    "x-ms-version": "2025-01-05",
    "x-ms-request-id": "0",
    "etag": '"0"',
    "last-modified": "Mon, 01 Jan 2024 00:00:00 GMT",
}
_GOT = {"content-type": "application/octet-stream", "content-range": "bytes 0-1023/1024", "x-ms-blob-type": "BlockBlob"}


def _answer(status: int, body: bytes, headers: dict[str, str]) -> list[dict[str, Any]]:
    every = {**_COMMON, **headers, "content-length": str(len(body))}
    encoded = [(name.encode(), value.encode()) for name, value in every.items()]
    parts = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)] or [b""]
    return [
        {"type": "http.response.start", "status": status, "headers": encoded},
        *({"type": "http.response.body", "body": part, "more_body": True} for part in parts[:-1]),
        {"type": "http.response.body", "body": parts[-1]},
    ]


PUT, GET = _answer(201, b"", {}), _answer(206, KIB, _GOT)


class Server:
    """The application.

    Args:
        content: The bytes of a blob `large`.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._ready: dict[bytes, list[dict[str, Any]]] = {}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answers one request."""
        while (await receive()).get("more_body"):
            pass
        if scope["method"] != "GET":
            messages = PUT
        elif scope["path"].endswith("/large"):
            asked = dict(scope["headers"]).get(b"x-ms-range", b"")
            messages = self._ready.get(asked) or self._ready.setdefault(asked, self._large(asked))
        else:
            messages = GET
        for message in messages:
            await send(message)

    def _large(self, asked: bytes) -> list[dict[str, Any]]:
        """The answer to a GET of the large blob, or a range of it, made once."""
        first, last = [*re.findall(rb"\d+", asked), b""][:2] if asked else (b"0", b"")
        part = self._content[int(first) : int(last) + 1 if last else None]
        shown = f"bytes {int(first)}-{int(first) + len(part) - 1}/{len(self._content)}"
        return _answer(206, part, _GOT | {"content-range": shown})


async def serve(folder: Path) -> None:
    """Serves until it is ended."""
    answer = Server((folder / "content").read_bytes())
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "null-ca.pem"))
    listening = socket.create_server(("127.0.0.1", 0))
    gateway = Gateway(authority, [(re.compile(re.escape(HOST)), answer)], answer, str)
    server = await gateway.start(listening)
    print(listening.getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
