"""Reads exchanges as JSON from standard input and writes verdicts as JSON.

`python -m tests.proof.checker FOLDER`, with the folder of the machine learning client that azure-ai-ml contains.
"""

import dataclasses
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.proof.checker import catalog, check

_OK = (200, 201)
_SUCCESS = range(200, 300)


def _install(folder: Path) -> None:
    """Makes the generated client inside azure-ai-ml importable without azure-ai-ml."""
    spec = importlib.util.spec_from_file_location(
        catalog.ML, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[catalog.ML] = module
    spec.loader.exec_module(module)


def _verdict(exchange: Any) -> dict[str, Any]:
    """Of one exchange (`method`, `path`, `version`, `body`, `status`, `answer`): its operation and the findings."""
    method, path, version = exchange["method"], exchange["path"], exchange["version"]
    operation = catalog.find(method, path, version)
    if operation is None:
        return {"operation": "", "source": "", "findings": []}
    found = [("url", one) for one in check.names(operation.limits, operation.parts(path) or {})]
    body, answer = exchange["body"], exchange["answer"]
    if body is not None and operation.body is not None:
        found += [("request", one) for one in check.request(operation.body, body)]
        found += [("request", one) for one in _older(method, path, body)]
    if exchange["status"] in _SUCCESS and operation.statuses and exchange["status"] not in operation.statuses:
        allowed = ", ".join(map(str, operation.statuses))
        found.append(("response", check.Finding("status", "status", f"{exchange['status']} is none of {allowed}")))
    if answer and exchange["status"] in _OK and operation.answer is not None:
        found += [("response", one) for one in check.response(operation.answer, answer)]
    return {
        "operation": f"{method} {operation.template}",
        "source": operation.source,
        "findings": [{"where": where, **dataclasses.asdict(one)} for where, one in found],
    }


def _older(method: str, path: str, body: Any) -> Iterator[check.Finding]:
    """Limits that only an older API version's model states; names and enumerations have moved on since."""
    operation = catalog.find(method, path, "", catalog.OLDER)
    if operation is not None and operation.body is not None:
        for one in (*check.names(operation.limits, operation.parts(path) or {}), *check.request(operation.body, body)):
            if one.rule in ("name", "required", "pattern", "length", "range"):
                yield one


def main(argv: list[str]) -> None:
    """Answers with one verdict for each exchange."""
    _install(Path(argv[0]))
    json.dump([_verdict(exchange) for exchange in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
