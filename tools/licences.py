"""docs/licences.md: the licence of every pinned package. A licence that is not allowed is refused.

The licences are those of the packages' own metadata, as installed. requirements.txt has the tests' packages, too.
"""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from tools.generate import ROOT, GenerateError

ALLOWED = {
    "0BSD": "permissive",
    "Apache-2.0": "permissive",
    "BSD": "permissive; the metadata do not say which of its texts",
    "BSD-2-Clause": "permissive",
    "BSD-3-Clause": "permissive",
    "ISC": "permissive",
    "MIT": "permissive",
    "MIT-0": "permissive",
    "MPL-2.0": "copyleft by file: used unmodified",
    "PSF-2.0": "permissive",
}
"""Licences under which a package may be used, with the reason."""

_NAMES = {
    "MIT License": "MIT",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "BSD 2-Clause License": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""SPDX's identifiers of what older metadata say."""


class LicenceError(GenerateError):
    """A package may not be used; the text says which and what to do."""


def packages(requirements: str) -> list[tuple[str, str]]:
    """Name and version of every pinned package."""
    return re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", requirements, re.MULTILINE)


def licence(name: str, version: str) -> str:
    """The licence that an installed package tells, as an SPDX expression.

    Raises:
        LicenceError: It is not installed in this version, or tells none that is understood.
    """
    try:
        told = metadata(name)
    except PackageNotFoundError:
        raise LicenceError(f"{name} is not installed: run `make setup`") from None
    if told["Version"] != version:
        raise LicenceError(f"{name} {told['Version']} is installed, {version} is pinned: run `make setup`")
    classes = [one.rsplit(" :: ", 1)[1] for one in told.get_all("Classifier") or [] if one.startswith("License ::")]
    texts: list[str] = [*(told.get_all("License-Expression") or []), *(told.get_all("License") or []), *classes]
    for text in texts:
        expression = _NAMES.get(text, text)
        if _known(expression):
            return expression
    raise LicenceError(f"{name} tells no licence that is understood ({str(texts)[:80]})")


def _known(expression: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9.-]+( (AND|OR) [A-Za-z0-9.-]+)*", expression))


def allowed(expression: str) -> bool:
    """Whether an expression leaves a choice of which every part is allowed."""
    return any(all(part in ALLOWED for part in choice.split(" AND ")) for choice in expression.split(" OR "))


def listing(found: dict[tuple[str, str], str]) -> str:
    """The Markdown list.

    Raises:
        LicenceError: Naming every package whose licence is not allowed.
    """
    refused = [f"{name} {version}: {told}" for (name, version), told in found.items() if not allowed(told)]
    if refused:
        raise LicenceError(
            f"not allowed are {', '.join(refused)}: take another package, or add the licence to ALLOWED in "
            f"{Path(__file__).relative_to(ROOT)} with its reason"
        )
    rows = [f"| {name} | {version} | {told} |" for (name, version), told in found.items()]
    reasons = [f"| {name} | {reason} |" for name, reason in ALLOWED.items()]
    return "\n".join(
        [
            "# Licences of the packages",
            "",
            "`make generate` makes this page from the packages' own metadata, and refuses any other licence.",
            "",
            "| Allowed | Because |",
            "|---|---|",
            *reasons,
            "",
            "| Package | Version | Licence |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def page() -> str:
    """Return docs/licences.md.

    Raises:
        LicenceError: A package is not installed as pinned, or its licence is not allowed.
    """
    pinned = packages((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    return listing({package: licence(*package) for package in pinned})
