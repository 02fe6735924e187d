"""Dockerfiles that only install packages: what they install, or the line that does more.

Understood are `FROM`, `COPY`, `RUN` of pip and conda, and what changes nothing of the packages. System packages are
left out with a word about it. Source: docs.docker.com, "Dockerfile reference".
"""

import posixpath
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from sandbox.azure.ml.environments.commands import Image, commands, expanded, run
from sandbox.azure.ml.environments.errors import SpecificationError
from sandbox.azure.ml.environments.specification import Specification

# Instructions that change nothing of the packages.
_IDLE = frozenset(
    {"LABEL", "EXPOSE", "USER", "SHELL", "ENTRYPOINT", "CMD", "HEALTHCHECK", "STOPSIGNAL", "MAINTAINER", "VOLUME"}
)
# Variables that only make sense in the image, or that would lead a process past the sandbox.
_OF_THE_IMAGE = re.compile(r"PATH|LD_\w+|PYTHONHOME|\w+_PROXY", re.IGNORECASE)


def read(context: Path, name: str = "Dockerfile", leave: Callable[[str], None] | None = None) -> Specification:
    """What a build context installs.

    Args:
        context: Its folder.
        name: The Dockerfile's path in it.
        leave: Told of each part that is not understood, which is left out then; without it such a part is refused.

    Raises:
        SpecificationError: There is no such file, or a line does more than install packages.
    """
    file = _inside(context, name or "Dockerfile")
    if file is None or not file.is_file():
        raise SpecificationError(f"The build context has no '{name}'.")
    image = Image()
    for number, instruction, rest in _instructions(file.read_text(encoding="utf-8-sig", errors="replace")):
        try:
            _apply(image, context, instruction, rest, leave)
        except SpecificationError as error:
            raise SpecificationError(
                f"{name} line {number}: {instruction} {' '.join(rest.split())[:120]}: {error}. The sandbox understands "
                "Dockerfiles that only install packages: FROM, COPY, RUN pip install, RUN conda."
            ) from error
    found = image.found
    return Specification(
        found.python,
        tuple(found.requirements),
        frozenset(found.packages),
        tuple(found.left_out),
        variables={name: image.variables[name] for name in sorted(image.lasting) if _is_for_processes(name)},
    )


def _is_for_processes(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) is not None and not _OF_THE_IMAGE.fullmatch(name)


def _instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, instruction and what follows it; comments gone, continued lines joined, here-documents as they are."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        number, line = at + 1, lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            continue
        parts = [line]
        while parts[-1].endswith("\\") and at < len(lines):
            parts[-1] = parts[-1][:-1]
            while at < len(lines) and (not lines[at].strip() or lines[at].strip().startswith("#")):
                at += 1
            if at < len(lines):
                parts.append(lines[at].strip())
                at += 1
        word, _, rest = " ".join(parts).partition(" ")
        yield number, word.upper(), rest.strip()


def _apply(image: Image, context: Path, instruction: str, rest: str, leave: Callable[[str], None] | None) -> None:
    if instruction == "FROM":
        name = next((one for one in rest.split() if not one.startswith("--")), "")
        image.found.left_out.append(f"the image {expanded(name, image.variables)} is not used: packages come from PyPI")
        image.lasting.clear()
    elif instruction in {"ENV", "ARG"}:
        assigned = _assigned(rest, image.variables)
        image.variables.update(assigned)
        image.lasting.update(assigned if instruction == "ENV" else ())
    elif instruction == "WORKDIR":
        image.folder = image.at(expanded(rest, image.variables))
    elif instruction in {"COPY", "ADD"}:
        _copy(image, context, rest, leave)
    elif instruction == "RUN":
        for words in commands(rest, image.variables):
            try:
                run(image, words)
            except SpecificationError as error:
                if leave is None:
                    raise
                leave(f"{' '.join(words)[:80]}: {error}")
    elif instruction not in _IDLE:
        raise SpecificationError("the sandbox does not understand it")


def _assigned(text: str, variables: dict[str, str]) -> dict[str, str]:
    """`A=1 B=2`, or `A 1`, or `A` alone."""
    if "=" not in text.split(" ", 1)[0]:
        name, _, value = text.partition(" ")
        return {name: expanded(value.strip(), variables)}
    return {name: expanded(value, variables) for name, _, value in (one.partition("=") for one in _split(text))}


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise SpecificationError(f"a quote is not closed ({error})") from error


def _copy(image: Image, context: Path, rest: str, leave: Callable[[str], None] | None) -> None:
    words = [expanded(one, image.variables) for one in _split(rest.strip("[]").replace('",', '"'))]
    if any(one.startswith("--from") for one in words):
        if leave is None:
            raise SpecificationError("files of another image cannot be had")
        return
    *sources, target = [one for one in words if not one.startswith("--")] or [""]
    for one in sources:
        file = _inside(context, one)
        if file is None or "://" in one:
            raise SpecificationError(f"'{one}' is outside of the build context")
        into = target.endswith("/") or target in {".", ".."} or len(sources) > 1
        whole = file.is_dir()
        image.files[image.at(posixpath.join(target, PurePosixPath(one).name) if into and not whole else target)] = file


def _inside(context: Path, path: str) -> Path | None:
    file = (context / path.lstrip("/")).resolve()
    return file if file.is_relative_to(context.resolve()) else None
