"""What a preview asks Azure: does the vCPU quota hold the compute, do policies demand tags, does `uniqueNames` fit."""

import asyncio
from dataclasses import dataclass

import pulumi

from operations.demanded_tags import missing_tags
from operations.quota import Finding, Verdict, check, demands
from operations.resourcemanager import AzureRefusedError, signed_in
from operations.unique_names import refusal
from settings import Department

_TIMEOUT_SECONDS = 15


@dataclass(frozen=True)
class _Told:
    """The messages of a preview: the sentence for success, and the warnings."""

    holds: str
    warnings: tuple[str, ...]


def report_quota(department: Department) -> None:
    """Tell at a preview whether the vCPU quota holds the department's compute; it never stops the preview.

    Azure is asked in a thread while the program registers its resources; the program waits for the answer.
    """
    if pulumi.runtime.is_dry_run() and demands(department, department.teams):
        told: pulumi.Output[_Told] = pulumi.Output.from_input(asyncio.to_thread(_ask_quota, department))
        told.apply(_log)


def _ask_quota(department: Department) -> _Told:
    region = department.region
    try:
        findings = check(department, signed_in(timeout_seconds=_TIMEOUT_SECONDS))
    except AzureRefusedError as error:
        return _Told("", (f"The vCPU quota in {region} could not be read, so it is not checked: {error}",))
    held = ", ".join(_held(findings))
    wrong = tuple(finding.text(region) for finding in findings if finding.verdict is not Verdict.FITS)
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
    """Stop a preview in which `uniqueNames` gives a workspace that exists other names than it was made with.

    It asks while the program registers its resources. Whoever may not ask is not stopped.
    """
    if pulumi.runtime.is_dry_run():
        asked: pulumi.Output[str] = pulumi.Output.from_input(asyncio.to_thread(_ask_names, department))
        asked.apply(_refuse)


def _ask_names(department: Department) -> str:
    try:
        return refusal(department, signed_in(timeout_seconds=_TIMEOUT_SECONDS))
    except AzureRefusedError:
        return ""


def _refuse(reason: str) -> None:
    if reason:
        raise pulumi.RunError(reason)
