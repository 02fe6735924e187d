"""Who gets into the studio, and who does not."""

import hashlib
import json
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import Sandbox
from tests.studio.pages import Person
from tests.studio.visitor import Visitor, one_time_address, private_memory
from tools.browser import Browser


@pytest.fixture(scope="module")
def door(shared_sandbox: Sandbox) -> Visitor:
    """A visitor of the owner's pages."""
    return Visitor.of(shared_sandbox)


def test_a_one_time_address_lets_in_once(shared_sandbox: Sandbox) -> None:
    parts = urlsplit(one_time_address(shared_sandbox))
    visitor = Visitor(f"http://{parts.netloc}")
    first = visitor.get(f"{parts.path}?{parts.query}")
    assert first.status == 200
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {one.strip() for one in first.headers["Set-Cookie"].split(";")}
    second = visitor.get(f"{parts.path}?{parts.query}")
    assert second.status == 403
    assert "Set-Cookie" not in second.headers
    assert b"python -m sandbox studio" in second.data


def test_a_persona_s_address_opens_no_other_persona_s_pages(shared_sandbox: Sandbox, door: Visitor) -> None:
    query = urlsplit(one_time_address(shared_sandbox, "scientist")).query
    assert door.get(f"/login?{query}").status == 403
    scientist = Visitor.of(shared_sandbox, "scientist")
    assert scientist.get("/", Host=urlsplit(door.origin).netloc).status == 403


@pytest.mark.parametrize("cookie", ["", "studio=", "studio=guessed", "studio=a; studio=b", ";;=;=x"])
def test_without_the_cookie_there_is_no_page(door: Visitor, cookie: str) -> None:
    answer = door.get("/", Cookie=cookie)
    assert answer.status == 403
    assert b"Workspaces" not in answer.data


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "evil.example", "owner.localhost", "owner-00000000.localhost"]
)
def test_another_host_name_is_refused(door: Visitor, host: str) -> None:
    port = urlsplit(door.origin).port
    for name in (host, f"{host}:{port}"):
        assert door.get("/", Host=name).status == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "https://ml.azure.com"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_origin_is_refused(door: Visitor, method: str, origin: str) -> None:
    assert door.send(method, "/", Origin=origin).status == 403


def test_a_change_needs_an_origin(door: Visitor) -> None:
    assert door.send("POST", "/").status == 403
    assert door.send("POST", "/", Origin=door.origin).status == 405  # the first page changes nothing


def test_another_site_s_page_cannot_load_anything(door: Visitor) -> None:
    for site in ("cross-site", "same-site"):
        assert door.get("/static/studio.js", Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors").status == 403
    assert door.get("/static/studio.js", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="no-cors").status == 200


@pytest.mark.parametrize("path", ["/", "/static/studio.css", "/nowhere", "/login?token=x"])
def test_every_answer_has_the_policy(door: Visitor, path: str) -> None:
    headers = door.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../__init__.py",
        "/static/%2e%2e/__init__.py",
        "/static/..%2f__init__.py",
        "/static//etc/passwd",
        "/static/%00",
        "/%2e%2e/",
    ],
)
def test_no_path_leads_out(door: Visitor, path: str) -> None:
    assert door.get(path).status == 404


def test_open_takes_the_studio_s_addresses_alone(shared_sandbox: Sandbox) -> None:
    for address in (
        "https://evil.example/runs/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://ml.azure.com.evil.example/",
        "https://eastus2.api.azureml.ms/mlflow/v2.0/subscriptions/a",
        "https://api.azureml.ms.evil.example/mlflow/v2.0/subscriptions/a/workspaces/b#/experiments/1",
    ):
        refused = shared_sandbox.command("open", address, "--no-browser")
        assert refused.returncode == 1
        assert "https://ml.azure.com/" in refused.stderr


TRACKED = "https://eastus2.api.azureml.ms/mlflow/v2.0/subscriptions/a/resourceGroups/b/workspaces/c"
"""What MLflow prints when a run ends begins with it."""


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("https://ml.azure.com//evil.example/x?wsid=/a/b&tid=c", "/evil.example/x?wsid=/a/b&amp;tid=c"),
        (f"{TRACKED}/#/experiments/e/runs/r", "/runs/r?wsid=/subscriptions/a/resourceGroups/b/workspaces/c"),
        (f"{TRACKED}#/experiments/e", "/jobs?experiment=e&amp;wsid=/subscriptions/a/resourceGroups/b/workspaces/c"),
    ],
)
def test_open_leads_to_the_page(shared_sandbox: Sandbox, address: str, page: str) -> None:
    parts = urlsplit(one_time_address(shared_sandbox, "owner", "open", address))
    entered = Visitor(f"http://{parts.netloc}").get(f"{parts.path}?{parts.query}")
    assert f'href="{page}"' in entered.data.decode()


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells a process's own memory")
def test_the_studio_adds_little_to_the_sandbox(sandbox: Sandbox) -> None:
    door = Visitor.of(sandbox)
    for path in ("/", "/jobs", "/model/list", "/activity", "/clock") * 3:
        door.get(path)
    assert private_memory(sandbox) < 30
    assert "make up" in door.get("/jobs").data.decode()  # nothing is there yet: the page says how to begin


def test_no_answer_waits_for_an_acknowledgement(shared_sandbox: Sandbox) -> None:
    """Systems acknowledge a part of an answer after 40 ms, so that a body behind its head must not wait for that."""
    door = Visitor.of(shared_sandbox)

    def seconds() -> float:
        begun = time.perf_counter()
        assert door.get("/static/studio.js").status == 200
        return time.perf_counter() - begun

    assert min([seconds() for _ in range(20)][5:]) < 0.03  # the first of a connection are acknowledged at once


def test_a_browser_keeps_a_file_whose_address_names_its_content(door: Visitor) -> None:
    address = re.search(r"/static/studio\.css\?(\w+)", door.get("/").data.decode())
    assert address is not None
    kept, plain = door.get(address[0]), door.get("/static/studio.css")
    assert hashlib.sha256(kept.data).hexdigest().startswith(address[1])
    assert "immutable" in kept.headers["Cache-Control"]
    assert plain.data == kept.data
    assert plain.headers["Cache-Control"] == "no-cache"


def test_the_studio_ends_with_the_sandbox(sandbox: Sandbox) -> None:
    door = Visitor.of(sandbox)
    assert door.get("/").status == 200
    sandbox.stop()
    waiting = "import json, os, sys, fcntl; fcntl.flock(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_EX)"
    lock = str(sandbox.directory / "studio" / "lock")
    subprocess.run([sys.executable, "-c", waiting, lock], timeout=20, check=True)  # whoever gets the lock is alone


FOREIGN = """<!doctype html><script>
const asked = [
  fetch("{origin}/clock", {{method: "POST", mode: "no-cors", credentials: "include", body: "time=9d&by=9d"}}),
  fetch("{origin}/?format=json", {{credentials: "include"}}).then(one => one.text()).then(text => window.stolen = text),
];
Promise.allSettled(asked).then(() => window.done = true);
</script>"""


def test_a_page_of_another_origin_changes_and_reads_nothing(browser: Browser, shared_sandbox: Sandbox) -> None:
    """The browser has the cookie, and the page of another program on this machine asks in the background."""
    person = Person(browser, shared_sandbox)
    before = shared_sandbox.command("clock", "show", "--json").stdout
    page = FOREIGN.format(origin=person.origin).encode()

    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Foreign) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser.call("Page.navigate", url=f"http://127.0.0.1:{server.server_port}/")
        person.wait("window.done === true")
        server.shutdown()
    assert browser.evaluate("window.stolen") is None
    after = shared_sandbox.command("clock", "show", "--json").stdout
    assert json.loads(after)["aheadSeconds"] == json.loads(before)["aheadSeconds"]
