"""The frame of every command line: one kind of app, one way to fail, JSON, tables and whole files.

This room imports none of the others, so each of them may import it (docs/decisions/0001-terminal-room.md).

    app = application("Training runs on a team's clusters.")

    @app.command()
    def ps(as_json: JsonOption = False) -> None:
        ...

    if __name__ == "__main__":
        sys.exit(run(app, "python -m jobs", explain=lambda error: str(error) if isinstance(error, JobError) else None))
"""

from terminal.app import FAILED, INTERRUPTED, WRONG_USAGE, JsonOption, application, run
from terminal.files import read_text, write_whole
from terminal.output import print_json, print_table

__all__ = [
    "FAILED",
    "INTERRUPTED",
    "WRONG_USAGE",
    "JsonOption",
    "application",
    "print_json",
    "print_table",
    "read_text",
    "run",
    "write_whole",
]
