"""Finds the operation that a request is, in the generated clients of Microsoft's packages."""

import ast
import importlib
import importlib.metadata
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ML = "arm_ml_service"  # the client inside azure-ai-ml, which has the newest API version; found by its folder

# Where the operations of a namespace are; the first that knows a path answers for it.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "": ("azure.mgmt.resource.resources",),
    "microsoft.authorization": (
        "azure.mgmt.authorization",
        "azure.mgmt.resource.locks",
        "azure.mgmt.resource.policy",
    ),
    "microsoft.consumption": ("azure.mgmt.consumption",),
    "microsoft.containerregistry": ("azure.mgmt.containerregistry",),
    "microsoft.insights": ("azure.mgmt.applicationinsights", "azure.mgmt.monitor"),
    "microsoft.keyvault": ("azure.mgmt.keyvault",),
    "microsoft.machinelearningservices": (ML,),
    "microsoft.managedidentity": ("azure.mgmt.msi",),
    "microsoft.network": ("azure.mgmt.network", "azure.mgmt.privatedns"),
    "microsoft.operationalinsights": ("azure.mgmt.loganalytics",),
    "microsoft.storage": ("azure.mgmt.storage",),
}
# Packages of an older API version that know limits which the newest models do not state.
OLDER: Mapping[str, tuple[str, ...]] = {"microsoft.machinelearningservices": ("azure.mgmt.machinelearningservices",)}
_MANY_SEGMENTS = ("scope", "resourceUri", "resourceId", "parentResourcePath")


@dataclass(frozen=True)
class Operation:
    """An operation as its client has it.

    Attributes:
        source: Package, release and API version.
        method: GET, PUT, …
        template: Its path, with names in braces.
        limits: Limits of the path's parts, by name.
        body: The request's model, if it has one.
        answer: The response's model, if it has one.
        statuses: Those of success that the client takes.
    """

    source: str
    method: str
    template: str
    limits: Mapping[str, Mapping[str, Any]]
    body: Any
    answer: Any
    statuses: tuple[int, ...]

    def parts(self, path: str) -> Mapping[str, str] | None:
        """The path's parts by name; None where the path is another operation's."""
        found = _pattern(self.template).fullmatch(path)
        return found.groupdict() if found else None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    pieces = re.split(r"{(\w+)}", template.rstrip("/"))
    texts = [
        (f"(?P<{piece}>.+)" if piece in _MANY_SEGMENTS else f"(?P<{piece}>[^/]+)") if index % 2 else re.escape(piece)
        for index, piece in enumerate(pieces)
    ]
    return re.compile("".join(texts), re.IGNORECASE)


def find(method: str, path: str, version: str, packages: Mapping[str, tuple[str, ...]] = PACKAGES) -> Operation | None:
    """The operation for a path at an API version, or at the nearest that a package has; None if no package knows it."""
    named = re.findall(r"/providers/([^/]+)/", path)
    namespace = named[-1].lower() if named else ""
    for package in packages.get(namespace, ()):
        for folder in _by_nearness(package, version):
            fitting = [one for one in _operations(package, folder, method, _last_type(path)) if one.parts(path)]
            if fitting:  # the most literal template, as a scope may stand for anything
                return max(fitting, key=lambda one: (one.body is not None, len(one.template)))
    return None


def _last_type(path: str) -> str:
    """The last literal of a path: its resource type, or the action at its end."""
    segments = path.strip("/").lower().split("/")
    return segments[-2] if len(segments) % 2 == 0 else segments[-1]


def _by_nearness(package: str, version: str) -> list[str]:
    """The packages of API versions: the asked one, then older ones, newest first, then newer ones; "" if it has one."""
    root = Path(str(importlib.import_module(package).__file__)).parent
    folders = sorted(path.name for path in root.glob("v2*") if path.is_dir())
    if not folders:
        return [""]
    wanted = "v" + version.replace("-", "_")
    older = [one for one in folders if one <= wanted]
    return older[::-1] + [one for one in folders if one > wanted]


@cache
def _operations(package: str, folder: str, method: str, literal: str) -> tuple[Operation, ...]:
    base = f"{package}.{folder}" if folder else package
    root = Path(str(importlib.import_module(base).__file__)).parent / "operations"
    found: list[Operation] = []
    for file in sorted(root.glob("*_operations.py")):
        text = _text(file)
        if f"/{literal}" in text.lower():
            found += _read(base, text, method, literal)
    return tuple(found)


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _read(base: str, text: str, method: str, literal: str) -> Iterator[Operation]:
    models = importlib.import_module(base + ".models")
    head, *classes = re.split(r"\nclass ", text)
    for block in re.split(r"\n(?=def build_)", head)[1:]:
        if f'method="{method}"' not in block or f"/{literal}" not in block.lower():
            continue
        name, template, limits, version = _builder(block)
        for one in classes:
            methods = re.split(r"\n    (?:@\w+\n    )*def ", one)
            callers = [caller for caller in methods if f"{name}(" in caller]
            if callers:
                words = callers[0] + _waiting(methods, callers[0])
                yield Operation(
                    source=_source(base, version),
                    method=method,
                    template=template,
                    limits=limits,
                    body=_model(models, words, _BODY),
                    answer=_model(models, words, _ANSWER),
                    statuses=_statuses(callers[0]),
                )
                break


_BODY = r'_serialize\.body\(\s*\w+,\s*"(\w+)"|Union\[\s*_models\.(\w+), (?:JSON|IO)'
_ANSWER = r'_deserialize\(\s*"(\w+)",\s*(?:pipeline_)?response|_deserialize\(\s*_models\.(\w+),\s*response'


def _statuses(caller: str) -> tuple[int, ...]:
    found = re.search(r"status_code not in \[([\d, ]+)\]", caller)
    return tuple(int(one) for one in found[1].split(",")) if found else ()


def _waiting(methods: list[str], caller: str) -> str:
    """The method that waits for the end of the operation that this one begins: it reads the final response."""
    name = caller.split("(", 1)[0]
    if not name.endswith("_initial"):
        return ""
    began = "begin_" + name.removeprefix("_").removesuffix("_initial") + "("
    return "".join(one for one in methods if one.startswith(began))


def _model(models: Any, words: str, pattern: str) -> Any:
    for names in re.findall(pattern, words):
        name = next(filter(None, names))
        if "Error" not in name and hasattr(models, name):
            return getattr(models, name)
    return None


def _builder(block: str) -> tuple[str, str, Mapping[str, Mapping[str, Any]], str]:
    """Name, template, limits and API version of a function that builds a request."""
    function = ast.parse(block).body[0]
    assert isinstance(function, ast.FunctionDef)
    template, version, limits = "", "", {}
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value.startswith("/"):
                template = template or node.value
            elif re.fullmatch(r"20\d\d-\d\d-\d\d(-preview)?", node.value):
                version = version or node.value
        elif isinstance(node, ast.Dict):
            for key, call in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(call, ast.Call):
                    limits[str(key.value)] = {
                        str(word.arg): ast.literal_eval(word.value)
                        for word in call.keywords
                        if word.arg != "skip_quote"
                    }
    return function.name, template, limits, version


@cache
def _source(base: str, version: str) -> str:
    if base == ML:
        return f"azure-ai-ml ({version})"
    package = re.sub(r"\.v20.*", "", base)
    name = "azure-mgmt-" + package.split(".")[2]
    return f"{name} {importlib.metadata.version(name)} ({version})"
