"""Every command line's frame: exit codes, messages, JSON and tables, completion, whole files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table

from terminal import print_table, write_whole

PROGRAM = """
import sys
from typing import Annotated
import typer
from terminal import JsonOption, application, print_json, print_table, run

app = application("For tests.")

@app.command()
def count(number: int, as_json: JsonOption = False) -> None:
    "Count."
    print_json({"number": number}) if as_json else print(number)

@app.command()
def fail(how: str) -> int:
    "Fail."
    if how == "code":
        return 7
    raise {"known": KeyError("the key"), "bug": ValueError("a bug"), "key": KeyboardInterrupt()}.get(how) or open(how)

@app.command()
def flood() -> None:
    "Print much."
    for _ in range(100_000):
        print("line")

explain = lambda error: str(error) if isinstance(error, KeyError) else None
sys.exit(run(app, "python -m tool", explain=explain, interrupted="stopped"))
"""


@pytest.fixture(name="folder", scope="module")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "tool.py").write_text(PROGRAM)
    return folder


def tool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tool", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{Path.cwd()}:{folder}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_results(folder: Path) -> None:
    assert tool(folder, "count", "3").stdout == "3\n"
    assert tool(folder, "count", "3", "--json").stdout == '{\n  "number": 3\n}\n'
    assert "count" in tool(folder, "--help").stdout
    assert tool(folder, "fail", "code").returncode == 7


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["count", "x"], 2, "error: Invalid value for 'number'"),
        (["count"], 2, "error: Missing argument 'number'"),
        (["nothing"], 2, "error: No such command 'nothing'"),
        ([], 2, "error: Missing command"),
        (["fail", "known"], 1, "error: 'the key'\n"),
        (["fail", "/no/such"], 1, "error: /no/such: No such file or directory\n"),
        (["fail", "key"], 130, "stopped\n"),
    ],
)
def test_failures(folder: Path, arguments: list[str], code: int, message: str) -> None:
    done = tool(folder, *arguments)
    assert done.returncode == code
    assert done.stderr.startswith(message)
    assert done.stdout == ""
    assert ("--help' lists" in done.stderr) == (code == 2)


def test_a_bug_is_not_hidden(folder: Path) -> None:
    assert "ValueError: a bug" in tool(folder, "fail", "bug").stderr


def test_a_reader_that_has_enough(folder: Path) -> None:
    command = f"set -o pipefail; {sys.executable} -m tool flood | head -1"
    environment = {**os.environ, "PYTHONPATH": f"{Path.cwd()}:{folder}"}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"line\n", b"")


@pytest.mark.parametrize(
    ("words", "expected"), [(["c"], "count"), (["count", "--j"], "--json"), (["count", "--json", "--h"], "--help")]
)
def test_completion_in_bash(folder: Path, words: list[str], expected: str) -> None:
    ask = f"""
        eval "$({sys.executable} -m tool --show-completion)"
        COMP_WORDS=({sys.executable} -m tool {" ".join(words)}) COMP_CWORD={2 + len(words)}
        $(complete -p python | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        echo "${{COMPREPLY[*]}}"
    """
    environment = {**os.environ, "PYTHONPATH": f"{Path.cwd()}:{folder}"}
    done = subprocess.run(["bash", "-c", ask], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{expected}\n", "")


def test_completion_leaves_other_modules_alone(folder: Path) -> None:
    ask = f"""
        eval "$({sys.executable} -m tool --show-completion)"
        COMP_WORDS=({sys.executable} -m this x) COMP_CWORD=3
        _azureml_platform_python
        echo "${{#COMPREPLY[@]}}"
    """
    environment = {**os.environ, "PYTHONPATH": f"{Path.cwd()}:{folder}"}
    done = subprocess.run(["bash", "-c", ask], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_tables_are_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("NAME", "VALUE"), [("n" * 200, "[1, 2]"), ("short", "x")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["n" * 200, "[1,", "2]"]
    table = Table()
    table.add_column("name")
    table.add_row("n" * 200)
    print_table(table)
    assert "n" * 200 in capsys.readouterr().out


def test_whole_files(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file"
    write_whole(target, "äöü")
    write_whole(target, b"bytes", private=True)
    assert target.read_bytes() == b"bytes"
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in target.parent.iterdir()] == ["file"]
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder") as caught:
        write_whole(tmp_path / "folder", "x")
    assert caught.value.filename == str(tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "new"]
