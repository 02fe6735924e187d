"""How the studio opens from elsewhere: by BROWSER, by `jobs open`, and at ml.azure.com through the proxy."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.azure.client import Client
from tests.conftest import ROOT, Sandbox
from tests.studio.visitor import Visitor

PAGE = "/runs/some_run?wsid=/subscriptions/a/resourceGroups/b&tid=c"


@pytest.fixture
def browser_program(tmp_path: Path) -> tuple[str, Path]:
    """A program in a browser's place, and the file that it opened last."""
    program, opened = tmp_path / "my browser", tmp_path / "opened"
    program.write_text(f'#!/bin/sh\ncat "${{1#file://}}" > "{opened}"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return f"'{program}' %s", opened


def opened_target(opened: Path) -> str:
    """The path that the address in the browser's file leads to."""
    found = re.search(r'href="([^"]+)"', opened.read_text())
    assert found is not None
    parts = urlsplit(found[1])
    entered = Visitor(f"http://{parts.netloc}").get(f"{parts.path}?{parts.query}").data.decode()
    target = re.search(r'<a href="([^"]+)"', entered)
    assert target is not None
    return target[1].replace("&amp;", "&")


def test_browser_opens_the_local_page_in_the_user_s_own_browser(
    shared_sandbox: Sandbox, browser_program: tuple[str, Path]
) -> None:
    own, opened = browser_program
    done = shared_sandbox.command("env", "--persona", "scientist", BROWSER=own)
    once = subprocess.run(
        ["/bin/bash", "-c", done.stdout + 'exec "$0" -m sandbox env --persona scientist', sys.executable],
        env={**os.environ, "PYTHONPATH": str(ROOT), "BROWSER": own}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for exports in (done.stdout, once.stdout):  # also in a shell that is set up twice
        script = f'{exports}\nexec "$0" -c \'import webbrowser, sys; sys.exit(not webbrowser.open(sys.argv[1]))\' "$1"'
        subprocess.run(
            ["/bin/bash", "-c", script, sys.executable, f"https://ml.azure.com{PAGE}"],
            env={**os.environ, "BROWSER": own}, cwd="/", check=True, timeout=60,
        )  # fmt: skip
        assert opened_target(opened) == PAGE
        opened.unlink()
    files = [file for file in (shared_sandbox.directory / "studio").rglob("*") if file.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}, files


def test_ml_azure_com_leads_to_the_same_page(shared_sandbox: Sandbox, azure: Client) -> None:
    visitor = Visitor.of(shared_sandbox, "scientist")
    answer = azure.session.get(f"https://ml.azure.com{PAGE}", allow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["Location"] == visitor.origin + PAGE
    away = azure.session.get("https://ml.azure.com//evil.example/", allow_redirects=False)
    assert urlsplit(away.headers["Location"]).netloc == urlsplit(visitor.origin).netloc


def test_without_a_studio_the_answer_says_how_to_start_one(sandbox: Sandbox) -> None:
    answer = Client(sandbox).session.get(f"https://ml.azure.com{PAGE}", allow_redirects=False)
    assert answer.status_code == 503
    assert "python -m sandbox studio" in answer.text


def test_a_link_on_another_site_leads_in_though_the_cookie_is_strict(shared_sandbox: Sandbox) -> None:
    visitor = Visitor.of(shared_sandbox)
    cookie, visitor.cookie = visitor.cookie, ""
    asked = visitor.get("/activity?a=b", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")
    assert 'content="0;url=/activity?a=b"' in asked.data.decode()
    away = visitor.get("//evil.example/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")
    assert 'content="0;url=/evil.example/"' in away.data.decode()
    assert visitor.get("/activity?a=b", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="navigate").status == 403
    visitor.cookie = cookie
    assert visitor.get("/", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="navigate").status == 200
