"""Asks, runs the tests, removes what they made, reports."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from terminal import FAILED, write_whole
from tools.generate import ROOT
from tools.verify.report import PAGES, markdown, read, verify_rows
from tools.verify.resources import Subscription, VerifyError

SETTINGS = "AZURE_VERIFY_RUN", "AZURE_VERIFY_LOCATION", "AZURE_VERIFY_RESULTS"
"""Variables by which the tests learn the run's name, its region and where results go. Without them, they start a
sandbox of their own."""

_PRICES = "https://prices.azure.com/api/retail/prices?$filter=armRegionName eq 'none'"
_SANDBOX_HEADER = "X-Invented-By"


def verify(location: str, *, yes: bool, report: Path, pages: Path, only: str | None) -> int:
    """Run the tests against the subscription of this shell; returns the exit code.

    Args:
        location: Azure region of what is made.
        yes: Do not ask.
        report: File for what was found.
        pages: Folder of the fidelity pages. The project's own are left alone if the sandbox answers.
        only: Part of the names of the tests to run; all if left out.

    Raises:
        VerifyError: No subscription is named, or Azure does not answer.
    """
    subscription = Subscription(_subscription_id(), location, secrets.token_hex(3))
    real = not _is_sandbox()
    if not yes:
        _ask(subscription, real=real)
    with TemporaryDirectory() as folder:
        results = Path(folder) / "results.jsonl"
        removed: list[str] = []
        try:
            code = _test(subscription, results, only)
        finally:
            print("removing what was made ...", flush=True)
            for line in subscription.remove():
                print(line, flush=True)
                removed.append(line)
        found = read(results)
    where = f"{datetime.now(UTC).date()}, {location}"
    changed = verify_rows(pages, found, where=where) if real or pages != PAGES else []
    write_whole(report, markdown(found, removed, changed, where=where, real=real))
    print(f"{report} written; {len(changed)} rows of {pages} are verified now")
    return code or (FAILED if any(line.startswith("NOT") for line in removed) else 0)


def _test(subscription: Subscription, results: Path, only: str | None) -> int:
    values = (subscription.run, subscription.location, str(results))
    environment = {**os.environ, **dict(zip(SETTINGS, values, strict=True)), "AZURE_SUBSCRIPTION_ID": subscription.id}
    # A workspace takes minutes in Azure, and each test says for itself how long it waits.
    command = [sys.executable, "-m", "pytest", "-m", "azure_verified", "--timeout", "7200", "tests/azure_verified"]
    return subprocess.run(
        [*command, *(["-k", only] if only else [])], cwd=ROOT, env=environment, check=False
    ).returncode


def _ask(subscription: Subscription, *, real: bool) -> None:
    print(f"""\
This uses {"Azure" if real else "the sandbox"}: subscription {subscription.id}, region {subscription.location}.
You need the role Owner on the subscription.
It makes storage accounts, key vaults, a network, a workspace with a cluster that has no nodes, and a stack of its own
with one short job on one low-priority node. All of it is in resource groups of this run ({subscription.run}), has a tag
that names the run, and is removed at the end. It costs well below a dollar.""")
    typer.confirm("Go on?", abort=True)


def _subscription_id() -> str:
    named = os.environ.get("AZURE_SUBSCRIPTION_ID", "")
    if not named:
        try:
            asked = subprocess.run(
                ["az", "account", "show", "--query", "id", "-o", "tsv"], capture_output=True, text=True, check=False
            )
            named = asked.stdout.strip()
        except FileNotFoundError:
            named = ""
    if not named:
        raise VerifyError("name the subscription: set AZURE_SUBSCRIPTION_ID, or sign in with `az login`")
    return named


def _is_sandbox() -> bool:
    """Return whether the sandbox answers in Azure's place: its prices are marked."""
    import requests  # noqa: PLC0415 - half a second

    try:
        return _SANDBOX_HEADER in requests.get(_PRICES, timeout=30).headers
    except requests.RequestException as error:
        raise VerifyError(f"prices.azure.com does not answer: check the network and HTTPS_PROXY ({error})") from None
