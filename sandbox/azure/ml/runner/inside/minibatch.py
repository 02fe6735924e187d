"""Carries a parallel step out: splits its input into mini-batches and gives them to worker processes.

`minibatch.py --settings JSON INPUT [APPEND] -- ARGUMENTS…`: the settings are those of `jobs.parallel`. INPUT is a file,
a folder or an MLTable, APPEND the file for what the mini-batches return. The entry script gets the ARGUMENTS.
Source: learn.microsoft.com/azure/machine-learning/how-to-use-parallel-job-in-pipeline.
"""

from __future__ import annotations  # the environment's Python may be an older one

import argparse
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from queue import Empty, Queue
from typing import Any

WORKER = Path(__file__).with_name("minibatch_worker.py")
TABLE = "MLTable"
FOLDER_FILE = "parallel_run_step.txt"  # in a folder that returns are appended to
OVERVIEW, RESULT = "logs/job_progress_overview.txt", "logs/job_result.txt"
OWN_ARGUMENTS = {"error_threshold": -1, "allowed_failed_percent": 100.0}
"""Arguments of the entry script that are the step's own, with their defaults."""


class AbortError(Exception):
    """The step fails; the message says why."""


class Batch:
    """One mini-batch: the files it has, or a pickled part of a table; how many items; how often it was tried."""

    def __init__(self, number: int, items: int, work: dict[str, Any]) -> None:
        self.number, self.items, self.work, self.tries = number, items, work, 0


def files_below(path: Path) -> list[str]:
    """All files of a folder, or the file."""
    if path.is_file():
        return [str(path)]
    return sorted(str(one) for one in path.rglob("*") if one.is_file() and one.name != TABLE)


def _declared(folder: Path) -> tuple[list[str], str]:
    """The files that an MLTable names, and the first of its reading transformations."""
    text = (folder / TABLE).read_text(encoding="utf-8")
    found: list[Path] = []
    for kind, name in re.findall(
        r"^\s*-\s*(file|folder|pattern)\s*:\s*[\"']?([^\"'\n]+?)[\"']?\s*$", text, re.MULTILINE
    ):
        relative = name.strip().removeprefix("./")
        found += [folder / relative] if kind != "pattern" else sorted(folder.glob(relative))
    reads = re.search(r"read_(delimited|parquet|json_lines)", text)
    files = [one for path in found for one in files_below(path)]
    return files, reads[1] if reads else ""


def _table(folder: Path, files: list[str], kind: str) -> Any:
    """The rows of an MLTable, by the package of that name where it is installed, else by pandas."""
    try:
        import mltable  # noqa: PLC0415 # the environment's, where it has it

        return mltable.load(str(folder)).to_pandas_dataframe()
    except ImportError:
        import pandas as pd  # noqa: PLC0415

    readers = {
        "delimited": pd.read_csv,
        "parquet": pd.read_parquet,
        "json_lines": lambda path: pd.read_json(path, lines=True),
    }
    return pd.concat([readers[kind](one) for one in files], ignore_index=True)


def split(source: Path, settings: dict[str, Any], scratch: Path) -> list[Batch]:
    """The mini-batches of an input."""
    if not source.is_dir() or not (source / TABLE).is_file():
        return _by_count(files_below(source), settings)
    files, kind = _declared(source)
    if not kind:
        return _by_count(files, settings)
    try:
        table = _table(source, files, kind)
    except ImportError as error:
        raise AbortError(f"A tabular input needs pandas in the environment: {error}.") from error
    keys = settings.get("partitionKeys")
    if keys:
        parts = [part for _, part in table.groupby(keys, sort=False)]
    else:
        each = sum(Path(one).stat().st_size for one in files) / max(1, len(table))
        rows = max(1, int((settings.get("miniBatchSize") or 1024 * 1024) / max(each, 1)))
        parts = [table.iloc[start : start + rows] for start in range(0, len(table), rows)]
    found = []
    for number, part in enumerate(parts):
        path = scratch / f"part{number}.pkl"
        part.reset_index(drop=True).to_pickle(path)
        found.append(Batch(number, len(part), {"table": str(path)}))
    return found


def _by_count(files: list[str], settings: dict[str, Any]) -> list[Batch]:
    size = settings.get("miniBatchSize") or 10
    parts = [files[start : start + size] for start in range(0, len(files), size)]
    return [Batch(number, len(part), {"files": part}) for number, part in enumerate(parts)]


class Worker:
    """A process that has the entry script, begun once and again after it was ended."""

    def __init__(self, number: int, node: int, settings: dict[str, Any], arguments: list[str], scratch: Path) -> None:
        name = f"process{number:03}"
        logs = Path("logs/user")
        self._streams = []
        for kind in ("stdout", "stderr"):
            path = logs / kind / f"node{node}" / f"{name}.{kind}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._streams.append(path.open("ab"))
        self._node, self._settings, self._arguments, self._scratch = node, settings, arguments, scratch
        self._process: subprocess.Popen[bytes] | None = None
        self._in = self._out = -1

    def _start(self) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        words = [sys.executable, str(WORKER), str(theirs_in), str(theirs_out), str(self._scratch)]
        words += [self._settings["entryScript"], self._settings.get("loggingLevel") or "INFO", *self._arguments]
        environment = {**os.environ, "AZUREML_CR_NODE_RANK": str(self._node)}
        self._process = subprocess.Popen(  # noqa: S603 # the user's own script, as asked for
            words,
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=self._streams[0],
            stderr=self._streams[1],
            env=environment,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        begun = self._read(None)
        if begun is None or begun.get("error"):
            self.end()
            raise AbortError(f"The entry script cannot begin: {(begun or {}).get('error') or 'its process ended.'}")

    def run(self, batch: Batch) -> dict[str, Any]:
        """What a mini-batch came to: the `count` and `rows` of its results, or an `error`."""
        if self._process is None:
            self._start()
        try:
            os.write(self._out, (json.dumps({"number": batch.number, **batch.work}) + "\n").encode())
            found = self._read(float(self._settings["timeout"]))
        except TimeoutError:
            found = {"error": f"The mini-batch took longer than {self._settings['timeout']} seconds."}
            self.end()
        except OSError:
            found = None
        if found is None:
            self.end()
            return {"error": "The process of the entry script ended."}
        return found

    def _read(self, timeout: float | None) -> dict[str, Any] | None:
        """The next line; None at the end."""
        data = b""
        end = None if timeout is None else time.monotonic() + timeout
        while not data.endswith(b"\n"):
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._in], [], [], left)[0]:
                raise TimeoutError
            more = os.read(self._in, 65536)
            if not more:
                return None
            data += more
        found: dict[str, Any] = json.loads(data)
        return found

    def end(self) -> None:
        """Ends the process at once."""
        if self._process is None:
            return
        for descriptor in (self._in, self._out):
            os.close(descriptor)
        self._process.kill()
        self._process.wait()
        self._process = None

    def finish(self) -> None:
        """Lets the process end by itself, with the entry script's `shutdown`."""
        if self._process is None:
            return
        os.close(self._out)
        try:
            self._process.wait(self._settings["timeout"])
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        self._process = None


class Job:
    """All mini-batches, their results, and the thresholds."""

    def __init__(self, batches: list[Batch], settings: dict[str, Any], own: dict[str, float], scratch: Path) -> None:
        self.batches, self._settings, self._own, self._scratch = batches, settings, own, scratch
        self._queue: Queue[Batch] = Queue()
        for one in batches:
            self._queue.put(one)
        self._lock, self._left = threading.Lock(), len(batches)
        self._rows: dict[int, str] = {}
        self._failed_batches = self._failed_items = self._done_items = 0
        self._told = 0.0
        self.failure = ""

    def work(self, worker: Worker) -> None:
        """What one worker does until all is done."""
        try:
            while not self.failure and self._left:
                try:
                    batch = self._queue.get(timeout=0.05)
                except Empty:
                    continue
                self._note(batch, worker.run(batch))
        except AbortError as error:
            self.failure = self.failure or str(error)
        except BaseException as error:  # a thread's fault must end the step
            self.failure = self.failure or f"{type(error).__name__}: {error}"
        worker.end() if self.failure else worker.finish()

    def _note(self, batch: Batch, found: dict[str, Any]) -> None:
        with self._lock:
            error, count = found.get("error"), int(found.get("count") or 0)
            short = not error and count < batch.items
            if error or short:
                self._log_error(batch, error or f"run() returned {count} results for {batch.items} items.")
            if error and batch.tries < self._settings["maxRetries"]:
                batch.tries += 1
                self._queue.put(batch)
                return
            self._left -= 1
            self._done_items += min(count, batch.items)
            if error or short:
                self._failed_batches += 1
                self._failed_items += max(0, batch.items - count)
            if found.get("rows"):
                self._rows[batch.number] = found["rows"]
            self._check()
            self._tell()

    def _log_error(self, batch: Batch, text: str) -> None:
        path = Path("logs/user/error") / f"mini-batch{batch.number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"attempt {batch.tries}: {text}\n")
        print(f"Mini-batch {batch.number}, attempt {batch.tries}: {text.strip().splitlines()[-1]}", flush=True)  # noqa: T201

    def _check(self) -> None:
        items, batches = self._own["error_threshold"], self._settings["miniBatchErrorThreshold"]
        percent = 100 * self._failed_batches / len(self.batches)
        if 0 <= items < self._failed_items:
            self.failure = f"{self._failed_items} items failed, and the error threshold is {items:g}."
        elif 0 <= batches < self._failed_batches:
            self.failure = f"{self._failed_batches} mini-batches failed, and the threshold is {batches}."
        elif percent > self._own["allowed_failed_percent"]:
            allowed = self._own["allowed_failed_percent"]
            self.failure = f"{percent:.0f} % of the mini-batches failed, and {allowed:g} % are allowed."

    def _tell(self) -> None:
        done = len(self.batches) - self._left
        if self._left and time.monotonic() - self._told < 1:
            return
        self._told = time.monotonic()
        text = (
            f"{done} of {len(self.batches)} mini-batches are done, {self._failed_batches} failed; "
            f"{self._done_items} items succeeded, {self._failed_items} failed."
        )
        print(text, flush=True)  # noqa: T201
        Path(OVERVIEW).write_text(f"{text}\n", encoding="utf-8")

    def append(self, target: Path) -> None:
        """Joins what the mini-batches returned, in their order."""
        if target.is_dir():
            target = target / FOLDER_FILE
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", encoding="utf-8") as file:
            for number in sorted(self._rows):
                file.write(Path(self._rows[number]).read_text(encoding="utf-8"))


def _own_arguments(arguments: list[str]) -> dict[str, float]:
    """The step's own settings among the entry script's arguments."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name, default in OWN_ARGUMENTS.items():
        parser.add_argument(f"--{name}", type=float, default=default)
    known, _ = parser.parse_known_args(arguments)
    return {name: getattr(known, name) for name in OWN_ARGUMENTS}


def main(words: list[str]) -> int:
    """1 where the step fails."""
    at = words.index("--")
    settings, (source, *append), arguments = json.loads(words[1]), words[2:at], words[at + 1 :]
    own = {**_own_arguments(arguments), **{k: v for k, v in settings.get("own", {}).items() if v is not None}}
    Path("logs").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        try:
            if settings.get("model"):
                _place_model(settings["model"], scratch)
            batches = split(Path(source), settings, scratch)
        except AbortError as error:
            print(f"Error: {error}", flush=True)  # noqa: T201
            return 1
        job = Job(batches, settings, own, scratch)
        count = min(settings["concurrency"] * settings["nodes"], len(batches))
        workers = [Worker(one, one % settings["nodes"], settings, arguments, scratch) for one in range(count)]
        threads = [threading.Thread(target=job.work, args=(one,)) for one in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if append and not job.failure:
            job.append(Path(append[0]))
    result = f"Failed: {job.failure}" if job.failure else "Succeeded."
    Path(RESULT).write_text(f"{result}\n", encoding="utf-8")
    print(result, flush=True)  # noqa: T201
    return 1 if job.failure else 0


def _place_model(model: dict[str, str], scratch: Path) -> None:
    """The model lies in AZUREML_MODEL_DIR under its own name; scripts know where files of their own go."""
    folder = scratch / "azureml-models" / model["name"] / model["version"]
    folder.mkdir(parents=True)
    shutil.move(model["path"], folder / model["base"])  # no link, which searches do not follow
    os.environ["AZUREML_MODEL_DIR"] = str(folder)
    target = Path(model["output"])
    os.environ["AZUREML_BI_OUTPUT_PATH"] = str(target if target.is_dir() else target.parent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
