"""The shell commands of a Dockerfile's `RUN`: what those of pip and conda install."""

import posixpath
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from sandbox.azure.ml.environments import conda, requirements
from sandbox.azure.ml.environments.errors import SpecificationError

# Commands that change nothing of the packages.
_HARMLESS = frozenset(
    {"rm", "mkdir", "echo", "printf", "true", ":", "set", "chmod", "chown", "ln", "cd", "export", "ls", "find", "touch"}
    | {"useradd", "adduser", "usermod", "groupadd", "addgroup", "groupmod", "ldconfig", "locale-gen"}
)
_OF_CONDA = frozenset({"clean", "config", "init", "activate", "info", "list", "update"})
_NO_PACKAGES = frozenset({"cache", "check", "config", "freeze", "list", "--version", "show"})
_VALUED = re.compile(
    r"-([iftpnc]|-(index-url|extra-index-url|find-links|target|prefix|name|channel|progress-bar|timeout|retries|"
    r"root-user-action))"
)


@dataclass
class Image:
    """What is known after some lines: packages, and which files of the context lie where."""

    found: conda.Conda = field(default_factory=conda.Conda)
    variables: dict[str, str] = field(default_factory=dict)
    lasting: set[str] = field(default_factory=set)  # the names of variables that processes see, too
    files: dict[str, Path] = field(default_factory=dict)
    folder: str = "/"

    def at(self, path: str) -> str:
        """An absolute path in the image."""
        return posixpath.normpath(posixpath.join(self.folder, path))

    def read(self, path: str) -> str:
        """The text of a file that was copied into the image.

        Raises:
            SpecificationError: The image has no such file.
        """
        where = self.at(path)
        source = next((file for name, file in self.files.items() if name == where and file.is_file()), None)
        for name, file in self.files.items():
            if source is None and where.startswith(f"{name.rstrip('/')}/"):
                below = file / where[len(name.rstrip("/")) + 1 :]
                source = below if below.is_file() else None
        if source is None:
            raise SpecificationError(f"'{path}' is not copied from the build context")
        return source.read_text(encoding="utf-8-sig", errors="replace")


def commands(text: str, variables: dict[str, str]) -> Iterator[list[str]]:
    """The commands of a shell line, each as words."""
    text = re.sub(r"^(--\w+=\S+\s+)+", "", text)
    if text.startswith("["):
        text = " ".join(shlex.quote(one) for one in re.findall(r'"((?:[^"\\]|\\.)*)"', text))
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        for word in lexer:
            if set(word) <= set(";&|"):
                yield words
                words = []
            else:
                words.append(expanded(word, variables) if "$" in word else word)
    except ValueError as error:
        raise SpecificationError(f"a quote is not closed ({error})") from error
    yield words


def run(image: Image, words: list[str]) -> None:
    """One command: packages, or what changes nothing of them."""
    words = _bare(words)
    if not words or words[0] in _HARMLESS:
        return
    program, rest = PurePosixPath(words[0]).name, words[1:]
    if program in {"sh", "bash"} and rest[:1] in (["-c"], ["-lc"]):
        for inner in commands(" ".join(rest[1:]), image.variables):
            run(image, inner)
    elif re.fullmatch(r"pip[\d.]*", program):
        _pip(image, rest)
    elif program in {"conda", "mamba", "micromamba"}:
        _conda(image, rest)
    elif program in {"apt-get", "apt"}:
        _apt(image, rest)
    elif program in {"source", ".", "activate"}:
        return
    else:
        raise SpecificationError(f"'{program}' does more than install packages")


def _bare(words: list[str]) -> list[str]:
    """Without what stands before the program: variables, `sudo`, `python -m`, `uv`, `conda run -n NAME`."""
    while words and (re.match(r"[A-Za-z_]\w*=", words[0]) or words[0] in {"sudo", "exec", "env", "time", "yes", "!"}):
        words = words[1:]
    if len(words) > 1 and PurePosixPath(words[0]).name in {"conda", "mamba"} and words[1] == "run":
        rest = words[2:]
        while rest and rest[0].startswith("-"):
            rest = rest[2:] if _VALUED.fullmatch(rest[0]) else rest[1:]
        return _bare(rest)
    if words[1:2] == ["-m"] and re.match(r"python[\d.]*$", PurePosixPath(words[0]).name):
        return _bare(words[2:])
    return words[1:] if words[:2] == ["uv", "pip"] else words


def _pip(image: Image, words: list[str]) -> None:
    if words[:1] != ["install"]:
        if words and words[0] in _NO_PACKAGES:
            return
        raise SpecificationError("of pip, 'install' is understood")
    rest = iter(words[1:])
    for word in rest:
        name, _, value = word.partition("=")
        if word in {"-r", "--requirement"} or name == "--requirement" or re.match(r"-r\S", word):
            path = value or (word[2:] if re.match(r"-r\S", word) else next(rest, ""))
            image.found.requirements += _listed(image, path)
        elif word in {"-c", "--constraint"}:
            raise SpecificationError("constraints are not understood: put the versions into the requirements")
        elif word.startswith("-"):
            option = f"{word} {next(rest, '')}" if _VALUED.fullmatch(word) else word
            if re.match(r"(-i|-f|--index-url|--extra-index-url|--find-links)\b", option):
                image.found.requirements.append(requirements.line(option))
        elif (line := requirements.line(word)) and line not in conda.INSTALLERS:
            image.found.requirements.append(line)


def _listed(image: Image, path: str, below: tuple[str, ...] = ()) -> list[str]:
    """The lines of a requirements file and of those that it names, by their place beside it."""
    if path in below:
        raise SpecificationError(f"'{path}' names itself by -r")
    return requirements.lines(image.read(path), _beside(image, path, below))


def _beside(image: Image, path: str, below: tuple[str, ...] = ()) -> Callable[[str], list[str]]:
    folder = posixpath.dirname(path)
    return lambda name: _listed(image, posixpath.normpath(posixpath.join(folder, name)), (*below, path))


def _conda(image: Image, words: list[str]) -> None:
    """`conda install`, `conda create`, and both of `conda env` with a file."""
    if words[:1] and words[0] in _OF_CONDA and "-f" not in words and "--file" not in words:
        return
    if words[:1] == ["env"]:
        words = words[1:]
    if words[:1] not in (["create"], ["install"], ["update"]):
        raise SpecificationError("of conda, 'install', 'create' and 'env create' are understood")
    rest = iter(words[1:])
    for word in rest:
        name, _, value = word.partition("=")
        if word in {"-f", "--file"} or name == "--file":
            _conda_file(image, value or next(rest, ""))
        elif word.startswith("-"):
            if _VALUED.fullmatch(word):
                next(rest, None)
        else:
            image.found.add(word)


def _conda_file(image: Image, path: str) -> None:
    read = conda.read(image.read(path), _beside(image, path))
    image.found.python = read.python or image.found.python
    image.found.requirements += read.requirements
    image.found.packages |= read.packages
    image.found.left_out += read.left_out


def _apt(image: Image, words: list[str]) -> None:
    packages = [one for one in words if not one.startswith("-")]
    if packages[:1] == ["install"] and packages[1:]:
        image.found.left_out.append(f"the system packages {', '.join(packages[1:])} are not installed")


def expanded(text: str, variables: dict[str, str]) -> str:
    """Text with the values of `$NAME` and `${NAME}`, without the quotes around it."""
    return re.sub(
        r"\$(?:\{(\w+)(?::[-+][^}]*)?\}|(\w+))", lambda found: variables.get(found[1] or found[2], ""), text
    ).strip("\"'")
