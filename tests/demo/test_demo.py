"""`make demo` twice, with a `pulumi` on PATH the second time, and the way down: the main job from the front door."""

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Sandbox
from tests.pulumi_on_path import install
from tests.studio.pages import Person
from tools.browser import Browser

Make = Callable[..., str]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Runs make with a sandbox folder of the test's own; packages come from the cache that the set-up filled."""
    sandbox = Sandbox(tmp_path / ".sandbox")

    def run(*words: str, path: str = os.environ["PATH"]) -> str:
        own = {"SANDBOX_DIR": str(sandbox.directory), "UV_OFFLINE": "1", "PATH": path}
        own |= {"MAKEFLAGS": "", "MAKELEVEL": "0"}  # as from a shell, also where make runs the tests
        done = subprocess.run(
            ["make", *words, "PORT=0"],
            cwd=ROOT,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr + sandbox.log()
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout

    yield run
    sandbox.stop()


def program() -> dict[str, str]:
    """The files that a command may be tempted to change."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in ROOT.glob("Pulumi*.yaml")}


def look(person: Person) -> None:
    """Finds the demo's run in the studio, and sees its curve and the model that came of it."""
    person.go("/jobs")
    assert "highspenders" in person.text()
    person.press("td.name a")
    assert "highspenders:1" in person.text()
    person.press(".tabs a[href*='tab=metrics']")
    person.wait("document.querySelectorAll('.chart .uplot canvas').length === 1", "the curve")


def test_demo_from_nothing_to_a_registered_model(make: Make, browser: Browser, tmp_path: Path) -> None:
    before = program()
    first = make("demo")
    created = re.search(r"\+ (\d+) created", first)
    assert created
    assert "azureml-platform@" in first.partition("Policies:")[2]
    assert "[Completed]" in first
    scores = dict(
        re.findall(r"^(roc_auc|average_precision|baseline_roc_auc|base_rate) +([\d.]+) *$", first, re.MULTILINE)
    )
    assert 0.5 < float(scores["baseline_roc_auc"]) < 1
    assert 0.5 < float(scores["roc_auc"]) < 1
    assert float(scores["average_precision"]) > float(scores["base_rate"])
    assert "registered model highspenders, version 1" in first
    assert "What to try next" in first
    assert first.rstrip().endswith("python -m sandbox studio --persona scientist")
    look(Person(browser, Sandbox(tmp_path / ".sandbox"), "scientist"))

    path = install(tmp_path / "bin")  # the second time with a `pulumi` on PATH, that has no login
    second = make("demo", path=path)
    assert f"{created[1]} unchanged" in second
    assert not re.search(r"[+~-] \d+ ", second)
    assert "registered model highspenders, version 2" in second

    gone = make("down", path=path)
    assert f"- {created[1]} deleted" in gone
    assert program() == before
