"""A job's YAML file: its values, the line of each, the short forms that this project adds, and changes by `--set`.

Two short forms save typing. Everything else is Azure ML's own job YAML.

- `compute: NAME`, also in a pipeline's steps and settings, without `azureml:`. The name may be `cheapest`.
- `datastore: NAME` beside an input's or output's `path` stands for `azureml://datastores/NAME/paths/PATH`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jobs.errors import JobError, UsageError
from terminal import read_text

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml: ten times as fast

Keys = tuple[str, ...]

_COMPUTES = ("compute", "default_compute")
_DATA = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")
_BINDING = re.compile(r"\$\{\{\s*(inputs|outputs)\.([^.}\s]+)")
_REFERENCE = re.compile(r"azureml:|\$\{\{|/|local$|serverless$")  # what azure-ai-ml takes as it is


@dataclass(frozen=True)
class Document:
    """A job's YAML file."""

    path: Path
    data: dict[str, Any]
    lines: dict[Keys, int]

    def refuse(self, keys: Sequence[str], message: str) -> JobError:
        """Return an error that names the file, the line and the key."""
        return JobError(f"{self.place(keys)}: {'.'.join(keys)}: {message}")

    def place(self, keys: Sequence[str]) -> str:
        """Return the file with the line of a key, or of the nearest key above it that stands in the file."""
        for end in range(len(keys), 0, -1):
            if line := self.lines.get(tuple(keys[:end])):
                return f"{self.path}:{line}"
        return str(self.path)


def read(path: Path, changes: Sequence[str] = ()) -> Document:
    """Read a job's YAML file, apply changes, and write out the short forms.

    Args:
        path: The file.
        changes: Each `path.to.key=value`; the value is YAML. A step's key that is not there is added.

    Raises:
        JobError: The file is no YAML, not a mapping, or a change or short form is wrong; the message names the line.
    """
    text = _text(path)
    try:
        data = yaml.load(text, _LOADER)  # noqa: S506 - a safe loader
        lines = dict(_lines(yaml.compose(text, _LOADER), ()))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise JobError(f"{where}: {error.problem or error.context}; this is no YAML") from None
    except yaml.YAMLError as error:
        raise JobError(f"{path}: {' '.join(str(error).split())}; this is no YAML") from None
    if not isinstance(data, dict):
        raise JobError(f"{path}: {'the file is empty' if data is None else 'the file has no keys'}; a job is a mapping")
    document = Document(path, data, lines)
    for change in changes:
        _apply(document, change)
    _expand(document, data, ())
    return document


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except UnicodeDecodeError:
        raise JobError(f"{path}: is not text in UTF-8") from None


def _lines(node: yaml.Node | None, keys: Keys) -> Iterator[tuple[Keys, int]]:
    """Every key's line, counted from 1; an item of a list is named by its number."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*keys, str(getattr(key, "value", "")))
            yield inner, key.start_mark.line + 1
            yield from _lines(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            inner = (*keys, str(index))
            yield inner, value.start_mark.line + 1
            yield from _lines(value, inner)


def _apply(document: Document, change: str) -> None:
    path, equals, text = change.partition("=")
    keys = path.split(".")
    if not equals or not all(keys):
        raise UsageError(f"--set {change}: write path.to.key=value, such as --set inputs.seed=1")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise UsageError(f"--set {change}: '{text}' is no YAML; put quotes around it") from None
    inputs = document.data.get("inputs")
    own = inputs if isinstance(inputs, dict) else {}
    if keys[0] == "inputs" and len(keys) > 1 and keys[1] not in own:  # azure-ai-ml would take a misspelt one, unused
        raise JobError(f"--set {change}: {document.path} has no input '{keys[1]}'; it has: {', '.join(own) or 'none'}")
    inner = document.data
    for depth, key in enumerate(keys[:-1], 1):
        inner = inner.setdefault(key, {})
        if not isinstance(inner, dict):
            raise UsageError(f"--set {change}: {'.'.join(keys[:depth])} in {document.path} has no keys")
    inner[keys[-1]] = value


def _expand(document: Document, part: Any, keys: Keys) -> None:
    """Write out the short forms below a part of the document, and refuse what azure-ai-ml would misname."""
    if not isinstance(part, dict):
        return
    if keys[-1:] != ("trial",):  # whose inputs are those of its sweep
        _check_bindings(document, part, keys)
    for key, value in part.items():
        inner = (*keys, str(key))
        if key in _COMPUTES:
            part[key] = _compute(document, value, inner)
        elif key == "default_datastore" and isinstance(value, str) and not _REFERENCE.match(value):
            part[key] = f"azureml:{value}"
        elif key in ("inputs", "outputs") and isinstance(value, dict):
            for name, given in value.items():
                _expand_data(document, given, (*inner, str(name)), needed=key == "inputs" and keys == ())
        elif key in ("jobs", "settings", "trial") or keys[-1:] == ("jobs",):
            _expand(document, value, inner)


def _check_bindings(document: Document, part: dict[str, Any], keys: Keys) -> None:
    """Refuse a command that names an input or output which it does not have: azure-ai-ml says so without the step."""
    command = part.get("command")
    for kind, name in _BINDING.findall(command) if isinstance(command, str) else ():
        own = part.get(kind)
        known = own if isinstance(own, dict) else {}
        if name not in {str(key).partition(".")[0] for key in known}:  # an input of a group is called GROUP.NAME
            given = ", ".join(known) or "none"
            raise document.refuse((*keys, "command"), f"there is no '{name}' among its {kind}; it has: {given}")


def _compute(document: Document, value: Any, keys: Keys) -> Any:
    if value is None:
        return None
    if not isinstance(value, str):
        raise document.refuse(keys, "write the name of a cluster, such as azureml:NAME, or cheapest")
    return value if _REFERENCE.match(value) else f"azureml:{value}"


def _expand_data(document: Document, given: Any, keys: Keys, *, needed: bool) -> None:
    """Write out `datastore` of an input or output; `needed` says that an input of data must have a path."""
    if not isinstance(given, dict):
        return
    path = given.get("path")
    if "datastore" in given:
        name = given.pop("datastore")
        if not isinstance(name, str):
            raise document.refuse((*keys, "datastore"), "write the name of a datastore")
        if isinstance(path, str) and "://" in path:
            raise document.refuse(keys, f"path {path} names a place already; leave out datastore, or give a path in it")
        path = f"azureml://datastores/{name.removeprefix('azureml:')}/paths/{str(path or '').lstrip('/')}"
        given["path"] = path
    if needed and given.get("type", "uri_folder") in _DATA and not path and not given.get("optional"):
        raise document.refuse(keys, "an input of data needs a path: a file, azureml://…, or azureml:NAME:VERSION")
    if isinstance(path, str) and path.startswith("azureml://datastores/") and ":" in path.partition("/paths/")[2]:
        raise document.refuse(
            (*keys, "path"),
            "azure-ai-ml takes no colon in azureml://datastores/…; "
            "write abfss://FILE_SYSTEM@ACCOUNT.dfs.core.windows.net/PATH instead",
        )
