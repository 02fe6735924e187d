"""A GitHub on loopback, as far as publishing asks it: what it holds can be set, and what it is told is kept."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "contoso/platform"
HEAD = "a" * 40
FORK = "somebody/platform"


@dataclass
class FakeGitHub:
    """What it holds, and what was sent to it.

    Attributes:
        pulls: Open pull requests.
        files: Files of each pull request by number.
        comments: Comments of each.
        events: Events of each.
        runs: Runs of workflows.
        issues: Open issues.
        archive: The artifact `review` of run 7; None for none.
        refused: Paths that are refused, each with a status.
        sent: Method, path and body of every request that is no GET.
        url: Where it is.
    """

    pulls: list[Any] = field(default_factory=list)
    files: dict[int, list[Any]] = field(default_factory=dict)
    comments: dict[int, list[Any]] = field(default_factory=dict)
    events: dict[int, list[Any]] = field(default_factory=dict)
    runs: list[Any] = field(default_factory=list)
    issues: list[Any] = field(default_factory=list)
    archive: bytes | None = None
    refused: Mapping[str, int] = field(default_factory=dict)
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    url: str = ""

    def pull(
        self, number: int, *, sha: str = HEAD, repository: str = FORK, labels: tuple[str, ...] = (), base: str = "main"
    ) -> None:
        """Adds an open pull request."""
        self.pulls.append(
            {
                "number": number,
                "head": {"sha": sha, "ref": "topic", "repo": {"full_name": repository}},
                "base": {"ref": base, "sha": "b" * 40},
                "labels": [{"name": name} for name in labels],
            }
        )
        self.files.setdefault(number, [{"filename": "Pulumi.dev.yaml"}])

    def answer(self, path: str, query: Mapping[str, str]) -> Any:
        """What a GET of a path below the repository gives."""
        words = path.strip("/").split("/")
        page = int(query.get("page", "1"))
        match words:
            case ["pulls"]:
                found: Any = [one for one in self.pulls if _head(one) == query["head"]]
            case ["pulls", number, "files"]:
                found = self.files[int(number)]
            case ["issues"]:
                found = self.issues
            case ["issues", number, "comments"]:
                found = self.comments.get(int(number), [])
            case ["issues", number, "events"]:
                found = self.events.get(int(number), [])
            case ["actions", "runs"]:
                return {"workflow_runs": self.runs if page == 1 else []}
            case ["actions", "runs", "7", "artifacts"]:
                return {"artifacts": [{"id": 70, "name": "review"}] if self.archive is not None and page == 1 else []}
            case _:
                raise KeyError(path)
        return found[(page - 1) * 100 : page * 100]

    def bodies(self, method: str, path: str) -> list[Any]:
        """The bodies that were sent to a path."""
        return [body for sent, to, body in self.sent if (sent, to) == (method, path)]


def _head(pull: Any) -> str:
    """The branch in the form of the list's filter: `owner:branch`."""
    head = pull["head"]
    return f"{head['repo']['full_name'].partition('/')[0]}:{head['ref']}"


@contextmanager
def running(github: FakeGitHub) -> Iterator[FakeGitHub]:
    """Serves it on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

        def _answer(self) -> None:
            url = urlsplit(self.path)
            path = url.path.removeprefix(f"/repos/{REPOSITORY}")
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            assert self.headers["Authorization"] == "Bearer t0ken"
            status, content = 200, b""
            if self.command != "GET":
                github.sent.append((self.command, path, body))
                status = github.refused.get(path, 201)
                content = b"" if self.command == "DELETE" else json.dumps({"number": 3}).encode()
            elif path == "/actions/artifacts/70/zip":
                content = github.archive or b""
            else:
                content = json.dumps(github.answer(path, {k: v[0] for k, v in parse_qs(url.query).items()})).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    github.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()


def zipped(content: bytes, name: str = "review.json") -> bytes:
    """An artifact with one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def event(**run: Any) -> Any:
    """What GitHub tells of a completed run for the head of a fork's pull request."""
    return {
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
        "workflow_run": {
            "id": 7,
            "event": "pull_request",
            "head_sha": HEAD,
            "head_branch": "topic",
            "head_repository": {"full_name": FORK},
            "html_url": f"https://github.com/{REPOSITORY}/actions/runs/7",
            "pull_requests": [],
            **run,
        },
    }
