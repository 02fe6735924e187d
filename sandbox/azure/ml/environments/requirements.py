"""The requirements file format of pip: https://pip.pypa.io/en/stable/reference/requirements-file-format/."""

import re
from collections.abc import Callable

from sandbox.azure.ml.environments.errors import SpecificationError

# pip's short options, as the long ones that uv reads too.
_LONG = {"-i": "--index-url", "-f": "--find-links", "-e": "--editable", "-r": "--requirement", "-c": "--constraint"}
_FILES = ("--requirement", "--constraint")
_INCLUDED = re.compile(r"\s*(?:-r\s*|--requirement[=\s]\s*)(\S+)\s*(?:#.*)?")
# Options that say how to install, which uv decides itself: they are passed over.
_PASSED_OVER = re.compile(
    r"--(pre|prefer-binary|require-hashes|trusted-host|use-feature|use-pep517|no-use-pep517|no-deps|upgrade|quiet|"
    r"no-cache-dir|disable-pip-version-check|no-warn-script-location|root-user-action|ignore-installed|force-reinstall|"
    r"break-system-packages|progress-bar|timeout|retries|default-timeout|user|no-input|verbose|no-build-isolation)(=.*|\s.*)?"
)
_TAKEN = re.compile(r"--(index-url|extra-index-url|find-links|no-index|no-binary|only-binary|editable)(=.*|\s.*)?")
_REMOTE = re.compile(r"(?:(git|hg|svn|bzr)\+)?(https?|ssh|git)://|git\+git@", re.IGNORECASE)
_LOCAL = re.compile(r"file:|\.{0,2}/|\.{1,2}$|~/|[A-Za-z]:[\\/]")


def lines(text: str, include: Callable[[str], list[str]] | None = None) -> list[str]:
    """The lines that are left when comments, continuations and options without meaning here are gone.

    Args:
        text: The file.
        include: Gives the lines of another file, which this one names by `-r`; without it there is none.

    Raises:
        SpecificationError: A line needs a file of its author's machine, or is none of pip's.
    """
    found = []
    for raw in re.sub(r"\\\r?\n", " ", text).splitlines():
        included = _INCLUDED.fullmatch(raw) if include else None
        if include and included:
            found += include(included[1])
        elif one := line(raw):
            found.append(one)
    return found


def line(raw: str) -> str:
    """One line; empty where nothing of it matters.

    Raises:
        SpecificationError: It needs a file of its author's machine, or is none of pip's.
    """
    text = re.sub(r"(^|\s)#.*", "", raw).strip()
    if not text:
        return ""
    if text.startswith("-"):
        return _option(text)
    if _LOCAL.match(text) or re.search(r"@\s*(file:|\.{0,2}/)", text):
        raise SpecificationError(f"The requirement '{text}' names a file, which an environment does not have.")
    if not re.match(r"[A-Za-z0-9]", text) or "\n" in text:
        raise SpecificationError(f"The requirement '{text}' is not valid.")
    return text


def _option(text: str) -> str:
    short = re.match(r"(-[ifecr])\s*=?\s*(\S.*)", text)
    if short:
        text = f"{_LONG[short[1]]} {short[2]}"
    found = re.match(r"(--[\w-]+)(?:[=\s]\s*(.*))?$", text)
    if found is None or not (_PASSED_OVER.fullmatch(text) or _TAKEN.fullmatch(text) or found[1] in _FILES):
        raise SpecificationError(
            f"The requirement '{text}' is not valid: pip's requirements files have no such option."
        )
    name, value = found[1], found[2] or ""
    if name in _FILES or (name == "--editable" and not _REMOTE.match(value)):
        raise SpecificationError(f"The requirement '{text}' names a file, which an environment does not have.")
    if name == "--editable":  # nobody edits it here
        return value
    return "" if _PASSED_OVER.fullmatch(text) else text
