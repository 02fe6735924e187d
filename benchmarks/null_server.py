"""A server behind the gateway that answers at once: the floor of what a storage client costs through proxy and TLS.

`python -m benchmarks.null_server FOLDER` writes its CA's certificate there and prints its port. A request's body is
read, and the answer is one that was ready before.
"""

import asyncio
import re
import socket
import sys
from pathlib import Path
from typing import Any

import trustme

from sandbox.azure.front.gateway import Gateway

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
    return [
        {"type": "http.response.start", "status": status, "headers": encoded},
        {"type": "http.response.body", "body": body},
    ]


PUT, GET = _answer(201, b"", {}), _answer(206, KIB, _GOT)


async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The application."""
    while (await receive()).get("more_body"):
        pass
    for message in GET if scope["method"] == "GET" else PUT:
        await send(message)


async def serve(folder: Path) -> None:
    """Serves until it is ended."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "null-ca.pem"))
    listening = socket.create_server(("127.0.0.1", 0))
    gateway = Gateway(authority, [(re.compile(re.escape(HOST)), answer)], answer, str)
    server = await gateway.start(listening)
    print(listening.getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
