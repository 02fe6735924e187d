"""How long each command line needs for `--help`, beside a Typer app of two commands, in turn.

The help of one command is held against that of one command of the small app: Typer loads Pydantic for both.

`python benchmarks/help_time.py` exits with 1 if one needs more than 1.5 times as much; `--write` renews the page.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it knows only its own folder

from benchmarks.report import write
from terminal import FAILED

ROOT = Path(__file__).resolve().parents[1]
DOORS = ("department", "policies", "review", "jobs", "sandbox", "tools")
LIMIT = 1.5
SINGLE = ("jobs submit", "jobs deploy create", "department costs", "sandbox studio")
APP, COMMAND = "a Typer app of two commands", "one command of it"
SMALL = """
import typer
app = typer.Typer()
@app.command()
def one() -> None: "One."
@app.command()
def two(number: int = 1) -> None: "Two."
app()
"""


def seconds(*words: str) -> float:
    """Processor seconds of a process, its own and the system's."""
    before = os.times()
    subprocess.run([sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main(rounds: int = 11, write_page: bool = typer.Option(False, "--write")) -> None:
    """Measure; the medians of all rounds count."""
    with TemporaryDirectory() as folder:
        small = Path(folder) / "small.py"
        small.write_text(SMALL)
        commands = {
            APP: (str(small),),
            **{f"python -m {door}": ("-m", door) for door in DOORS},
            COMMAND: (str(small), "two"),
            **{f"python -m {words}": ("-m", *words.split()) for words in SINGLE},
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(rounds + 1):
            for name, words in commands.items():
                taken = seconds(*words, "--help")
                if number:  # the first round reads files that the system then has in memory
                    times[name].append(taken)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    single = [COMMAND, *(name for name, words in commands.items() if words[2:])]
    ratios = {name: median / medians[COMMAND if name in single else APP] for name, median in medians.items()}
    lines = ["| `--help` of | processor ms | × the small app |", "|---|---|---|"]
    lines += [f"| {name} | {median * 1000:.0f} | {ratios[name]:.2f} |" for name, median in medians.items()]
    print("\n".join(lines))
    if write_page:
        text = (
            f"Median of {rounds} rounds in turn. A command line may need {LIMIT} times as much as a Typer app of two\n"
            "commands. Again: `python benchmarks/help_time.py --write`."
        )
        write("help", "Command lines", text, lines)
    raise typer.Exit(FAILED if max(ratios.values()) > LIMIT else 0)


if __name__ == "__main__":
    typer.run(main)
