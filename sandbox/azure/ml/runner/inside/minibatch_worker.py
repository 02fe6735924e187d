"""One process of a parallel step: the entry script's `init()` once, `run(mini_batch)` for each mini-batch.

`minibatch_worker.py IN OUT SCRATCH SCRIPT LEVEL ARGUMENTS…`: mini-batches come as lines of JSON at the descriptor IN,
and what became of them goes to OUT. Scripts can import `EntryScript` from where Azure has it.
Source: learn.microsoft.com/azure/machine-learning/how-to-use-parallel-job-in-pipeline.
"""

from __future__ import annotations  # the environment's Python may be an older one

import importlib.util
import inspect
import json
import logging
import os
import sys
import traceback
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class EntryScript:
    """What scripts read of their surroundings: a logger, the working and the output folder."""

    logger = logging.getLogger("EntryScript")
    working_dir = str(Path.cwd())
    output_dir = os.environ.get("AZUREML_BI_OUTPUT_PATH", "")

    @property
    def logging_level(self) -> str:
        """The level's name."""
        return logging.getLevelName(logging.getLogger().level)


class Context:
    """What a script's `run(mini_batch, context)` is told of the mini-batch."""

    def __init__(self, number: int) -> None:
        self.mini_batch_id = self.minibatch_index = str(number)
        self.partition_key_value = None


def _shim() -> None:
    """`azureml_user.parallel_run`, which Azure puts beside scripts."""
    package, module = types.ModuleType("azureml_user"), types.ModuleType("azureml_user.parallel_run")
    module.EntryScript = EntryScript  # type: ignore[attr-defined]
    package.parallel_run = module  # type: ignore[attr-defined]
    sys.modules.update({package.__name__: package, module.__name__: module})


def _load(script: str) -> Any:
    """The entry script as a module.

    Raises:
        ValueError: It is not there.
        AttributeError: It has no `run`.
    """
    path = Path(script).resolve()
    sys.path[0] = str(path.parent)  # in place of this file's folder
    spec = importlib.util.spec_from_file_location("entry_script", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ValueError(f"The entry script '{script}' is not there, or is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not callable(getattr(module, "run", None)):
        raise AttributeError(f"The entry script '{script}' has no function 'run'.")  # noqa: TRY004 # of a module
    return module


def _lines(descriptor: int) -> Iterator[dict[str, Any]]:
    with os.fdopen(descriptor, "r", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _rows(found: Any) -> tuple[int, list[str]]:
    """How many results there are, and a line for each: a table's columns with blanks between them.

    Raises:
        TypeError: It is no list, array or table.
    """
    if hasattr(found, "to_csv"):
        text = found.to_csv(sep=" ", header=False, index=False)
        return len(found), text.splitlines()
    if isinstance(found, list | tuple) or hasattr(found, "tolist"):
        values = list(found)
        return len(values), [str(one) for one in values]
    raise TypeError(f"run() must return a list, an array or a DataFrame, not {type(found).__name__}.")


def _one(module: Any, given: dict[str, Any], scratch: Path) -> dict[str, Any]:
    if "table" in given:
        import pandas as pd  # noqa: PLC0415 # only where the input is a table

        batch: Any = pd.read_pickle(given["table"])  # noqa: S301 # written by the step itself
    else:
        batch = given["files"]
    wants_context = len(inspect.signature(module.run).parameters) > 1
    found = module.run(batch, Context(given["number"])) if wants_context else module.run(batch)
    count, lines = _rows(found)
    path = scratch / f"rows{given['number']}.txt"
    path.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    return {"count": count, "rows": str(path)}


def main(words: list[str]) -> int:
    """Works until no mini-batch comes any more."""
    source, target, scratch, script, level, *arguments = words
    logging.basicConfig(stream=sys.stdout, level=level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    _shim()

    def say(found: dict[str, Any]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(int(target), (json.dumps(found) + "\n").encode())

    sys.argv = [script, *arguments]
    try:
        module = _load(script)
        getattr(module, "init", lambda: None)()
    except BaseException:  # also what calls exit
        say({"error": traceback.format_exc()})
        return 1
    say({"ready": True})
    for given in _lines(int(source)):
        try:
            say(_one(module, given, Path(scratch)))
        except Exception:  # the mini-batch failed
            traceback.print_exc()
            say({"error": traceback.format_exc()})
    getattr(module, "shutdown", lambda: None)()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
