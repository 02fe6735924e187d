"""`check`: validates stack files without an engine."""

import sys
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from settings import SettingsError, open_stack_file
from settings.problems import written
from settings.warnings import warnings
from terminal import print_json


def run(files: list[Path], *, as_json: bool) -> int:
    """Exit code 0 if all files can be used, 1 if not."""
    results = [_result(file) for file in files]
    if as_json:
        print_json([asdict(result) for result in results])
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
        source = open_stack_file(file, blank_unseen=True)
    except SettingsError as error:
        return _Result(str(file), [{"key": problem.key, "message": problem.message} for problem in error.problems], [])
    hidden = [
        f"{written(path)}: is encrypted (secure) and was not checked: the program checks it." for path in source.unseen
    ]
    return _Result(str(file), [], hidden + warnings(source.department, date.today()))


def _lines(result: _Result) -> list[str]:
    lines = [f"{result.file}: {problem['key']}: {problem['message']}" for problem in result.problems]
    return (lines or [f"{result.file}: ok"]) + [f"{result.file}: warning: {text}" for text in result.warnings]
