"""The command line: `python -m jobs --help`. Reads arguments and prints; the work is in the other modules."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import sys
import warnings
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from jobs.errors import JobError, explain

if TYPE_CHECKING:
    from jobs.runs import Run
    from jobs.workspace import Workspace

STACK = "dev"
INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run a command; 0 done, 1 failed (the message says why), 2 wrong usage, 130 interrupted."""
    args = _parser().parse_args(argv)
    # What the clients log and warn of (experimental classes, attributes they do not know) is not for the user:
    # whatever goes wrong arrives as an exception.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        code: int = args.run(args)
    except KeyboardInterrupt:
        print("interrupted; a run that was submitted goes on: ps, logs --follow, cancel", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader has enough, as in `… logs RUN | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except JobError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename or 'this machine'}: {error.strerror or error}")
    except Exception as error:
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - loaded by whatever raised one

        if not isinstance(error, AzureError):
            raise
        return _fail(explain(error))
    return code


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--stack", help=f"stack whose outputs say where the workspace is (default: {STACK})")
    common.add_argument("--outputs", type=Path, metavar="FILE", help="outputs saved with pulumi stack output --json")
    common.add_argument("--team", help="team of the department; needed where it has more than one")
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="JSON on standard output, progress on standard error")

    parser = argparse.ArgumentParser(prog="python -m jobs", description="Training runs on a team's clusters.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    submit = commands.add_parser("submit", parents=[common, as_json], help="submit a command job")
    submit.add_argument("job", help="an example's name, a folder with a job.yml, or an Azure ML job in YAML")
    submit.add_argument("--cluster", help="cluster to run on, instead of the one that the job names")
    submit.add_argument("--stream", action="store_true", help="follow its log to the end, then print its metrics")
    submit.add_argument("--register", metavar="NAME", help="follow it, then register its model under this name")
    submit.set_defaults(run=_submit)

    listing = commands.add_parser("ps", parents=[common, as_json], help="list the latest runs")
    listing.set_defaults(run=_ps)

    logs = commands.add_parser("logs", parents=[common], help="print a run's log")
    logs.add_argument("name", metavar="RUN")
    logs.add_argument("--follow", action="store_true", help="go on until the run has ended; exit 1 if it failed")
    logs.set_defaults(run=_logs)

    show = commands.add_parser("show", parents=[common, as_json], help="describe runs and their metrics, side by side")
    show.add_argument("names", metavar="RUN", nargs="+")
    show.set_defaults(run=_show)

    cancel = commands.add_parser("cancel", parents=[common], help="end a run")
    cancel.add_argument("name", metavar="RUN")
    cancel.set_defaults(run=_cancel)

    env = commands.add_parser("env", parents=[common], help='print a service principal\'s exports, for eval "$(…)"')
    env.add_argument("--automation", metavar="NAME", help="which of the team's; needed where several have a secret")
    env.set_defaults(run=_env)
    return parser


def _connect(args: argparse.Namespace) -> Workspace:
    from jobs.outputs import read_file, read_stack  # noqa: PLC0415 - --help is quick without them
    from jobs.workspace import Workspace  # noqa: PLC0415

    outputs = read_file(args.outputs, args.stack) if args.outputs else read_stack(args.stack or STACK)
    return Workspace(outputs.team(args.team))


def _submit(args: argparse.Namespace) -> int:
    from jobs import runs  # noqa: PLC0415

    progress = sys.stderr if args.json else sys.stdout

    def say(line: str) -> None:
        print(line, file=progress, flush=True)

    source = runs.find(args.job)
    workspace = _connect(args)
    run = runs.submit(workspace, source, args.cluster, say)
    say(f"run {run.name}\n{run.url}")
    version = None
    if args.stream or args.register:
        _follow(workspace, run.name, progress)
        run = runs.show(workspace, run.name)
        if run.status == "Completed" and args.register:
            version = runs.register(workspace, run, args.register)
    if args.json:
        print(json.dumps(_as_json(run) | ({"model": args.register, "version": version} if version else {}), indent=2))
    elif args.stream or args.register:
        say("\n" + _side_by_side([run]))
    if version:
        say(f"registered model {args.register}, version {version}")
    return _judge(run)


def _ps(args: argparse.Namespace) -> int:
    from jobs import runs  # noqa: PLC0415

    found = runs.recent(_connect(args))
    if args.json:
        print(json.dumps([_as_json(run) for run in found], indent=2))
    elif not found:
        print("no runs yet")
    else:
        titles = ("RUN", "NAME", "EXPERIMENT", "STATUS", "CLUSTER", "CREATED")
        rows = [(run.name, run.display_name, run.experiment, run.status, run.cluster, run.created) for run in found]
        print(_table([titles, *rows]))
    return 0


def _logs(args: argparse.Namespace) -> int:
    workspace = _connect(args)
    if args.follow:
        return 0 if _follow(workspace, args.name, sys.stdout) == "Completed" else 1
    printer = _LogPrinter(sys.stdout)
    for name, text in workspace.history.read_logs(args.name):
        printer.log(name, text)
    return 0


def _show(args: argparse.Namespace) -> int:
    from jobs import runs  # noqa: PLC0415

    workspace = _connect(args)
    found = [runs.show(workspace, name) for name in args.names]
    if args.json:
        print(json.dumps([_as_json(run) for run in found] if len(found) > 1 else _as_json(found[0]), indent=2))
    else:
        print(_side_by_side(found))
    return 0


def _cancel(args: argparse.Namespace) -> int:
    from jobs import runs  # noqa: PLC0415

    print(f"run {args.name} is {runs.cancel(_connect(args), args.name)}")
    return 0


def _env(args: argparse.Namespace) -> int:
    from jobs import automation  # noqa: PLC0415

    if sys.stdout.isatty():
        raise JobError('env prints a secret, so not to a terminal: eval "$(python -m jobs env …)" takes it over')
    for name, value in automation.variables(_connect(args), args.automation).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


class _LogPrinter:
    """Prints pieces of logs as they are, under a file's name where there is more than one file."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last: str | None = None

    def log(self, name: str, text: bytes) -> None:
        if self._last not in (None, name):
            self.status(f"==> {name} <==")
        self._last = name
        self._out.buffer.write(text)
        self._out.flush()

    def status(self, line: str) -> None:
        print(line, file=self._out, flush=True)


def _follow(workspace: Workspace, name: str, out: TextIO) -> str:
    """Print the run's log and states until it has ended; returns its last state."""
    printer = _LogPrinter(out)
    details = workspace.history.follow(name, printer.log, lambda status: printer.status(f"[{status}]"))
    status: str = details["status"]
    return status


def _judge(run: Run) -> int:
    """Exit code for a run: 1 where it ended without success."""
    from jobs.history import ENDED  # noqa: PLC0415

    if run.status in ENDED - {"Completed"}:
        return _fail(f"run {run.name} ended as {run.status}" + (f": {run.error}" if run.error else ""))
    return 0


def _as_json(run: Run) -> dict[str, Any]:
    # JSON has no NaN; a metric that is not finite becomes null
    metrics = {name: value if isfinite(value) else None for name, value in run.metrics.items()}
    return asdict(run) | {"seconds": run.seconds, "metrics": metrics}


def _side_by_side(runs: list[Run]) -> str:
    """Lay runs out as columns: what each is, then every metric that any of them has."""
    facts = {
        "run": [run.name for run in runs],
        "name": [run.display_name for run in runs],
        "status": [run.status for run in runs],
        "cluster": [run.cluster for run in runs],
        "created": [run.created for run in runs],
        "seconds": ["" if run.seconds is None else f"{run.seconds:.1f}" for run in runs],
        "error": [run.error or "" for run in runs],
    }
    for name in sorted(set().union(*(run.metrics for run in runs))):
        facts[name] = [f"{run.metrics[name]:.6g}" if name in run.metrics else "" for run in runs]
    return _table([(title, *values) for title, values in facts.items() if any(values)])


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
