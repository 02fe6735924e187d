"""Publishing a review: what a forged artifact cannot do, and what an honest one does."""

import base64
import gzip
import html
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest
from markdown_it import MarkdownIt

from review.formats.document import MOST_BYTES, to_json
from review.formats.markdown import MARKER
from review.github.client import GitHub
from review.github.drift import MARKER as DRIFT
from review.github.drift import report as drift
from review.github.publish import AUTHOR, publish
from review.github.pulls import ACCEPT_LABEL
from review.model import Change, Loss, Violation
from review.report import Report, StackReview
from review.revisions import touches_every_stack
from tests.conftest import ROOT
from tests.review.github import HEAD, REPOSITORY, FakeGitHub, event, running, zipped

URN = "urn:pulumi:dev::azureml-platform::azure-native:storage:StorageAccount::bluegranit-lake"
LOST = Change(
    "deleted", URN, "azure-native:storage:StorageAccount", "bluegranit-lake", "bluegranit", loss=Loss("the lake")
)
COMMENTS = "/issues/5/comments"
STATUS = f"/statuses/{HEAD}"


def honest(*, accepted: bool = False, loss: bool = True, made_by: Any = "base") -> Report:
    changes = (replace(LOST, loss=Loss("the lake", accepted)),) if loss else ()
    return Report("main", "topic", made_by, False, (StackReview("dev", "Pulumi.dev.yaml", "changed", changes),))


def packed(report: Report) -> bytes:
    return zipped(to_json(report).encode())


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with running(FakeGitHub(archive=packed(honest()))) as there:
        there.pull(5)
        yield there


def published(github: FakeGitHub, **run: Any) -> str:
    return publish(event(**run), GitHub(REPOSITORY, "t0ken", github.url))


def comment(github: FakeGitHub) -> str:
    [body] = github.bodies("POST", COMMENTS)
    text: str = body["body"]
    return text


def state(github: FakeGitHub) -> tuple[str, str]:
    [status] = github.bodies("POST", STATUS)
    return status["state"], status["context"]


def test_stack_files_alone_are_judged_and_alerts_uploaded(github: FakeGitHub) -> None:
    assert published(github) == "Pull request 5: comment and status are there, and alerts."
    assert comment(github).startswith(MARKER) and "bluegranit-lake" in comment(github)
    assert state(github) == ("failure", "review")
    [alerts] = github.bodies("POST", "/code-scanning/sarifs")
    assert (alerts["commit_sha"], alerts["ref"]) == (HEAD, "refs/pull/5/head")
    assert json.loads(gzip.decompress(base64.b64decode(alerts["sarif"])))["version"] == "2.1.0"


def test_nothing_to_object_is_a_success(github: FakeGitHub) -> None:
    github.archive = packed(honest(loss=False))
    published(github)
    assert state(github) == ("success", "review")


@pytest.mark.parametrize(
    "files",
    [
        [{"filename": "Pulumi.dev.yaml"}, {"filename": "review/report.py"}],
        [{"filename": "Pulumi.dev.yaml", "previous_filename": "policies/rules/roles.py"}],
        [{"filename": ".github/workflows/pull-request.yml"}],
        [{"filename": "examples/Pulumi.dev.yaml/x"}],
        [{"filename": "Pulumi.dev.yaml"}] * 3000,
        [],
    ],
)
def test_a_pull_request_with_code_is_advice_whatever_it_says_of_itself(github: FakeGitHub, files: list[Any]) -> None:
    github.files[5] = files
    published(github)
    assert "the pull request's own code made this report" in html.unescape(comment(github)).lower()
    assert state(github) == ("success", "review")
    [status] = github.bodies("POST", STATUS)
    assert status["description"].startswith("Advisory")
    assert github.bodies("POST", "/code-scanning/sarifs") == []


def test_the_pull_request_is_that_of_the_run_and_not_one_that_the_artifact_names(github: FakeGitHub) -> None:
    github.archive = zipped(to_json(honest()).encode().replace(b'"version": 1', b'"version": 1, "pull_request": 6'))
    github.pull(6, sha="c" * 40)
    published(github)
    assert {path for _, path, _ in github.sent if path.startswith("/issues/")} <= {COMMENTS}


def test_a_review_against_another_branch_says_nothing_of_the_default_one(github: FakeGitHub) -> None:
    github.archive = packed(honest(loss=False))
    github.pulls.clear()
    github.pull(5, base="release")
    published(github)
    assert state(github) == ("success", "review (release)")


def test_which_of_several_pull_requests_was_reviewed_is_not_known(github: FakeGitHub) -> None:
    github.archive = packed(honest(loss=False))
    github.pull(6, base="release")
    assert "not known" in published(github)
    told = [(one["state"], one["context"]) for one in github.bodies("POST", STATUS)]
    assert told == [("failure", "review"), ("failure", "review (release)")]
    assert {path for _, path, _ in github.sent} == {STATUS}


@pytest.mark.parametrize(
    "run",
    [
        {"head_sha": "d" * 40},
        {"head_repository": {"full_name": "other/platform"}},
        {"head_repository": None},
        {"head_branch": "elsewhere"},
        {"event": "push"},
    ],
)
def test_a_run_of_no_open_pull_request_publishes_nothing(github: FakeGitHub, run: Any) -> None:
    published(github, **run)
    assert github.sent == []


@pytest.mark.parametrize(
    "archive",
    [
        None,
        b"",
        b"no archive",
        zipped(b"{}"),
        zipped(b"[]"),
        zipped(b'{"version": 2}'),
        zipped(to_json(honest()).encode().replace(b'"changed"', b'"<script>"')),
        zipped(b"x", name="other.json"),
        zipped(b" " * (MOST_BYTES + 2)),  # small as an archive
        b"PK" + b"x" * (MOST_BYTES + 2),
    ],
    ids=["none", "empty", "garbage", "object", "list", "version", "state", "name", "bomb", "huge"],
)
def test_an_artifact_that_is_no_report_is_a_failure(github: FakeGitHub, archive: bytes | None) -> None:
    github.archive = archive
    assert published(github).endswith("the run left no report that can be read.")
    assert "made no report" in comment(github)
    assert state(github) == ("failure", "review")


def test_free_texts_notify_nobody_and_break_nothing(github: FakeGitHub) -> None:
    nasty = (
        "@contoso/everyone <img src=x onerror=alert(1)> ${{ github.token }} \x1b[31m [a](javascript:b) #1\n::error::x"
    )
    violation = Violation("new", nasty, nasty, "high", "mandatory", nasty, nasty, nasty, nasty, nasty, "https://x/")
    stack = StackReview(nasty, "Pulumi.dev.yaml", "changed", (replace(LOST, name=nasty),), (violation,) * 2000)
    github.archive = packed(Report(nasty, nasty, "base", False, (stack,), notes=(nasty,)))
    told = published(github)
    text = comment(github)
    assert len(text) < 65_536 and text.startswith(MARKER)
    assert "\n" not in told and "everyone" not in told
    shown = re.sub(r"<code>.*?</code>", "", MarkdownIt("commonmark").enable("table").render(text), flags=re.DOTALL)
    for bad in ("<img", "\x1b", 'href="javascript', "@contoso"):
        assert bad not in shown


def test_a_second_run_writes_the_same_comment(github: FakeGitHub) -> None:
    github.comments[5] = [
        {"id": 1, "user": {"login": "somebody"}, "body": f"{MARKER} mine"},
        {"id": 2, "user": {"login": AUTHOR}, "body": "of another workflow"},
        {"id": 3, "user": {"login": AUTHOR}, "body": f"{MARKER}\nolder"},
    ]
    published(github)
    assert [path for method, path, _ in github.sent if "comments" in path] == ["/issues/comments/3"]
    [written] = github.bodies("PATCH", "/issues/comments/3")
    github.comments[5][2]["body"] = written["body"]
    github.sent.clear()
    published(github)
    assert not [path for _, path, _ in github.sent if "comments" in path]


def labelled(github: FakeGitHub, at: str) -> None:
    github.pulls.clear()
    github.pull(5, labels=(ACCEPT_LABEL,))
    github.runs = [{"created_at": "2026-11-29T10:05:00Z"}, {"created_at": "2026-11-29T10:00:00Z"}]
    github.events[5] = [
        {"event": "labeled", "label": {"name": "other"}, "created_at": "2026-11-29T12:00:00Z"},
        {"event": "labeled", "label": {"name": ACCEPT_LABEL}, "created_at": at},
    ]


def test_a_label_of_this_head_accepts_the_loss(github: FakeGitHub) -> None:
    labelled(github, "2026-11-29T10:03:00Z")
    published(github)
    assert state(github) == ("success", "review")
    assert not [path for method, path, _ in github.sent if method == "DELETE"]


def test_a_label_of_an_older_head_is_removed_and_accepts_nothing(github: FakeGitHub) -> None:
    github.archive = packed(honest(accepted=True))  # as the artifact claims
    labelled(github, "2026-11-29T09:00:00Z")
    published(github)
    assert state(github) == ("failure", "review")
    assert [path for method, path, _ in github.sent if method == "DELETE"] == [f"/issues/5/labels/{ACCEPT_LABEL}"]


@pytest.mark.parametrize("event", ["base_ref_changed", "automatic_base_change_succeeded"])
def test_a_label_from_before_the_base_changed_accepts_nothing(github: FakeGitHub, event: str) -> None:
    labelled(github, "2026-11-29T10:03:00Z")
    github.events[5].append({"event": event, "created_at": "2026-11-29T10:04:00Z"})
    published(github)
    assert state(github) == ("failure", "review")


def test_an_accepted_loss_without_a_label_is_not_accepted(github: FakeGitHub) -> None:
    github.archive = packed(honest(accepted=True))
    published(github)
    assert state(github) == ("failure", "review")


def test_without_code_scanning_the_rest_is_published(github: FakeGitHub) -> None:
    github.refused = {"/code-scanning/sarifs": 403}
    assert published(github) == "Pull request 5: comment and status are there."


def test_drift_opens_one_issue_writes_it_anew_and_closes_it(github: FakeGitHub) -> None:
    api = GitHub(REPOSITORY, "t0ken", github.url)
    found = {"dev": "", "prod": "~ azure-native:storage:StorageAccount ```\n@everyone " + "x" * 20_000}
    assert drift(found, api, "https://run/1") == "Issue 3 is opened."
    [made] = github.bodies("POST", "/issues")
    assert made["body"].startswith(DRIFT) and "prod" in made["body"] and "<summary>dev" not in made["body"]
    assert "\n````text\n" in made["body"] and len(made["body"]) < 65_536
    github.issues = [{"number": 3, "body": made["body"]}, {"number": 4, "body": made["body"], "pull_request": {}}]
    assert drift(found, api, "https://run/2") == "Issue 3 is written anew."
    assert drift({"dev": "\n", "prod": ""}, api, "https://run/3") == "Issue 3 is closed: nothing has drifted."
    github.issues = []
    assert drift({"dev": ""}, api, "https://run/4") == "Nothing has drifted."


def test_whatever_a_stack_is_made_of_has_owners_who_approve_it() -> None:
    lines = (ROOT / ".github" / "CODEOWNERS").read_text().splitlines()
    owned = [line.split()[0].strip("/") for line in lines if line.startswith("/")]
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    made_of = {path for path in files if touches_every_stack(frozenset({path}))}
    assert "__main__.py" in made_of
    assert sorted(path for path in made_of if not any(fnmatchcase(path.partition("/")[0], one) for one in owned)) == []
