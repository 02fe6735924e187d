"""The quota report of a preview: what the department can use at most, before a job waits for a node in vain."""

import asyncio
from dataclasses import dataclass

import pulumi

from components.quota import Finding, Verdict, check, demands
from components.resourcemanager import AzureRefusedError, signed_in
from components.settings import Department

_TIMEOUT_SECONDS = 15


@dataclass(frozen=True)
class _Told:
    """What a preview says: what holds, and what deserves a look."""

    holds: str
    warnings: tuple[str, ...]


def preflight(department: Department) -> None:
    """Tell at a preview whether the vCPU quota holds the department's compute; it never stops the preview.

    It asks while the program registers its resources, and the program ends after it.
    """
    if pulumi.runtime.is_dry_run() and demands(department, department.teams):
        told: pulumi.Output[_Told] = pulumi.Output.from_input(asyncio.to_thread(_ask, department))
        told.apply(_log)


def _ask(department: Department) -> _Told:
    region = department.region
    try:
        findings = check(department, signed_in(timeout_seconds=_TIMEOUT_SECONDS))
    except AzureRefusedError as error:
        return _Told("", (f"The vCPU quota in {region} could not be read, so it is not checked: {error}",))
    held = ", ".join(_held(findings))
    wrong = tuple(one.text(region) for one in findings if one.verdict is not Verdict.FITS)
    return _Told(f"The vCPU quota in {region} holds, with every node on: {held}." if held else "", wrong)


def _held(findings: list[Finding]) -> list[str]:
    return [
        f"{one.demand.pool} {one.demand.vcpus} of {one.limit.vcpus}"
        for one in findings
        if one.limit and one.limit.vcpus is not None and not one.workspace and one.verdict is Verdict.FITS
    ]


def _log(told: _Told) -> None:
    if told.holds:
        pulumi.log.info(told.holds)
    for warning in told.warnings:
        pulumi.log.warn(warning)
