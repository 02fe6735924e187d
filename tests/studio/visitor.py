"""A person who visits the studio: by plain HTTP, with the cookie of a one-time address."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

from tests.conftest import Sandbox

COOKIE = re.compile(r"studio=[^;]+")


def one_time_address(sandbox: Sandbox, persona: str = "owner", *words: str) -> str:
    """What `python -m sandbox studio` prints."""
    done = sandbox.command(*(words or ("studio",)), "--persona", persona, "--no-browser")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def private_memory(sandbox: Sandbox) -> float:
    """MB that the studio's process alone has (Linux)."""
    process = json.loads((sandbox.directory / "studio" / "sandbox.json").read_bytes())["pid"]
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024


@dataclass
class Visitor:
    """A persona's browser without a window.

    Attributes:
        origin: Scheme, host and port of the persona's pages.
        cookie: What the browser sends.
    """

    origin: str
    cookie: str = ""
    _http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    @classmethod
    def of(cls, sandbox: Sandbox, persona: str = "owner") -> Visitor:
        """A visitor who came in."""
        address = one_time_address(sandbox, persona)
        parts = urlsplit(address)
        visitor = cls(f"{parts.scheme}://{parts.netloc}")
        entered = visitor.get(f"{parts.path}?{parts.query}")
        assert entered.status == 200, entered.data
        found = COOKIE.search(entered.headers["Set-Cookie"])
        assert found is not None
        visitor.cookie = found[0]
        return visitor

    def send(self, method: str, path: str, *, body: str = "", **headers: str) -> urllib3.BaseHTTPResponse:
        """One request; a header's underscores stand for dashes, an empty one is left out."""
        port = urlsplit(self.origin).port
        given = {"Host": urlsplit(self.origin).netloc, "Cookie": self.cookie} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        # To the address and not to the name: some systems have no names below localhost.
        return self._http.request(
            method,
            f"http://127.0.0.1:{port}{path}",
            headers={name: value for name, value in given.items() if value},
            body=body or None,
            redirect=False,
        )

    def get(self, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
        """A page."""
        return self.send("GET", path, **headers)

    def json(self, path: str) -> Any:
        """What a page lists."""
        answer = self.get(path + ("&" if "?" in path else "?") + "format=json")
        assert answer.status == 200, answer.data
        return answer.json()

    def post(self, path: str, body: str = "") -> urllib3.BaseHTTPResponse:
        """What a page's form sends."""
        return self.send("POST", path, body=body, Origin=self.origin, Content_Type="application/x-www-form-urlencoded")
