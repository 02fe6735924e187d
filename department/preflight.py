"""Questions of a preview to Azure: does the vCPU quota hold the compute, do policies demand tags, do names fit."""

import asyncio
from dataclasses import dataclass

import pulumi

from operations import renames, unique_names
from operations.demanded_tags import missing_tags
from operations.quota import Finding, Verdict, check, demands, read_quotas
from operations.resourcemanager import AzureRefusedError, signed_in
from operations.shares import shares
from operations.workspaces import workspaces
from settings import Department

_TIMEOUT_SECONDS = 15


@dataclass(frozen=True)
class _Told:
    """The words of a preview: what holds, what deserves a look, and what stops it."""

    holds: str
    warnings: tuple[str, ...]
    refusal: str = ""


def report_quota(department: Department) -> None:
    """Tell at a preview whether the vCPU quota holds the department's compute; it never stops the preview.

    Azure is asked in a thread while the program registers its resources; the program waits for the answer.
    """
    drawn = demands(department.teams) or any(team.quota for team in department.teams)
    if pulumi.runtime.is_dry_run() and drawn:
        told: pulumi.Output[_Told] = pulumi.Output.from_input(asyncio.to_thread(_ask_quota, department))
        told.apply(_log)


def _ask_quota(department: Department) -> _Told:
    region = department.region
    try:
        quotas = read_quotas(department, signed_in(timeout_seconds=_TIMEOUT_SECONDS))
    except AzureRefusedError as error:
        return _Told("", (f"The vCPU quota in {region} could not be read, so it is not checked: {error}",))
    findings = check(department, quotas)
    held = ", ".join(_held(findings))
    wrong = tuple(finding.text(region) for finding in findings if finding.verdict is not Verdict.FITS)
    apply = f"python -m department quota --apply Pulumi.{pulumi.get_stack()}.yaml"
    wrong += tuple(
        f"{share.text} After the update, set it: {apply}" for share in shares(department, quotas) if share.differs
    )
    return _Told(f"The vCPU quota in {region} holds, with every node on: {held}." if held else "", wrong)


def _held(findings: list[Finding]) -> list[str]:
    return [
        f"{finding.demand.pool} {finding.demand.vcpus} of {finding.limit.vcpus}"
        for finding in findings
        if finding.limit
        and finding.limit.vcpus is not None
        and not finding.workspace
        and finding.verdict is Verdict.FITS
    ]


def _log(told: _Told) -> None:
    if told.holds:
        pulumi.log.info(told.holds)
    for warning in told.warnings:
        pulumi.log.warn(warning)
    if told.refusal:
        raise pulumi.RunError(told.refusal)


def report_demanded_tags(department: Department) -> None:
    """Tell at a preview which tags the organization's policies demand and the settings lack; it never stops it."""
    if pulumi.runtime.is_dry_run():
        asked: pulumi.Output[_Told] = pulumi.Output.from_input(asyncio.to_thread(_ask_tags, department))
        asked.apply(_log)


def _ask_tags(department: Department) -> _Told:
    try:
        return _Told("", tuple(missing_tags(department, signed_in(timeout_seconds=_TIMEOUT_SECONDS))))
    except AzureRefusedError:
        return _Told("", ())  # who may not read policies is refused by them at the up, in Azure's words


def keep_names(department: Department) -> None:
    """Stop a preview that gives a workspace that exists other names; tell of teams and clusters that were renamed.

    It asks while the program registers its resources. Whoever may not ask is not stopped.
    """
    if pulumi.runtime.is_dry_run():
        asked: pulumi.Output[_Told] = pulumi.Output.from_input(asyncio.to_thread(_ask_names, department))
        asked.apply(_log)


def _ask_names(department: Department) -> _Told:
    told: list[str] = []
    try:
        send = signed_in(timeout_seconds=_TIMEOUT_SECONDS)
        made = workspaces(department, send)
        refused = unique_names.refusal(department, made) or renames.refusal(department, made)
        if refused:
            return _Told("", (), refused)
        told += renames.warnings(department, made)
        told += renames.cluster_warnings(department, made, send)
    except AzureRefusedError:
        pass  # who may not read workspaces is told nothing more
    return _Told("", tuple(told))
