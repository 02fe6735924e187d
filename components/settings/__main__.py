"""`python -m components.settings`: validate stack files without an engine, and write what is made from the model."""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from components.files import write_whole
from components.settings import SettingsError, read_stack_file
from components.settings.reference import reference, schema
from components.settings.warnings import warnings


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if all files can be used, 1 if not, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m components.settings", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="validate the department's settings in stack files")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help="stack file, such as Pulumi.dev.yaml")
    check.add_argument("--json", action="store_true", help="print the result as JSON")
    for name, content, help_ in (
        ("schema", schema, "write the JSON schema of a stack file, for editors"),
        ("reference", reference, "write the settings reference, in Markdown"),
    ):
        command = commands.add_parser(name, help=help_)
        command.add_argument("target", type=Path, metavar="FILE", help="file to write")
        command.set_defaults(content=content)
    options = parser.parse_args(arguments)
    if options.command == "check":
        return _check(options.files, as_json=options.json)
    try:
        write_whole(options.target, options.content())
    except OSError as error:
        print(f"{options.target}: cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


def _check(files: list[Path], *, as_json: bool) -> int:
    results = [_result(file) for file in files]
    if as_json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    else:
        for result in results:
            print("\n".join(_lines(result)), file=sys.stderr if result.problems else sys.stdout)
    return 1 if any(result.problems for result in results) else 0


@dataclass(frozen=True)
class _Result:
    file: str
    problems: list[dict[str, str]]
    warnings: list[str]


def _result(file: Path) -> _Result:
    try:
        department = read_stack_file(file)
    except SettingsError as error:
        return _Result(str(file), [{"key": problem.key, "message": problem.message} for problem in error.problems], [])
    return _Result(str(file), [], warnings(department, date.today()))


def _lines(result: _Result) -> list[str]:
    lines = [f"{result.file}: {problem['key']}: {problem['message']}" for problem in result.problems]
    return (lines or [f"{result.file}: ok"]) + [f"{result.file}: warning: {text}" for text in result.warnings]


if __name__ == "__main__":
    sys.exit(main())
