"""The checks of the Markdown pages, each of which finds what it is for and nothing else."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.docs import LONGEST_CELL, LONGEST_SENTENCE, check, pages

WORDS = " ".join(["Word"] * LONGEST_SENTENCE)


def found(folder: Path, text: str) -> list[str]:
    (folder / "page.md").write_text(text)
    return [str(problem) for problem in check(folder, "page.md")]


@pytest.mark.parametrize(
    "text",
    [
        f"{WORDS}. {WORDS}. Again.",
        f"{WORDS[5:]} (so). Another one",
        f"- {WORDS}\n- {WORDS}",
        f"Some `code with. Many words` {' '.join(['word'] * (LONGEST_SENTENCE - 2))}.",
        f"```\n{WORDS} {WORDS}\n```",
        f"| {'x' * LONGEST_CELL} | [short](https://example.com/{'x' * LONGEST_CELL}) |\n|---|---|",
    ],
)
def test_what_is_short_enough(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (f"# Title\n\nShort. {WORDS}\nmore. Short.", 3, "sentence of 31 words"),
        (f"- short\n- {WORDS} more", 2, "sentence of 31 words"),
        (f"| a |\n|---|\n| {'x' * (LONGEST_CELL + 1)} |", 3, "table cell of 161 characters"),
        (f"| a |\n|---|\n| `{'x' * (LONGEST_CELL + 1)}` |", 3, "table cell of 161 characters"),
    ],
)
def test_what_is_too_long(tmp_path: Path, text: str, line: int, problem: str) -> None:
    (only,) = found(tmp_path, text)
    assert only.startswith(f"page.md:{line}: {problem}")


def test_links_paths_and_commands_lead_somewhere(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "__main__.py").touch()
    (tmp_path / "other.md").write_text("# A `title`, twice!\n# A title twice\n")
    good = [
        "[a](other.md)",
        "[a](other.md#a-title-twice)",
        "[a](other.md#a-title-twice-1)",
        "[a](https://example.com/x#y)",
        "[a](#here)\n\n## Here",
        "`room/__main__.py` `elsewhere/x` `python -m room` `python -m venv`",
    ]
    for text in good:
        assert found(tmp_path, text) == []
    bad = {
        "[a](none.md)": "link to none.md: there is no such file",
        "[a](../../etc/hosts)": "link to ../../etc/hosts: there is no such file",
        "[a](other.md#none)": "link to other.md#none: the page has no such heading",
        "[a](#none)": "link to #none: the page has no such heading",
        "`room/none.py`": "`room/none.py`: there is no such file or folder",
        "```\npython -m room.none\n```": "'python -m room.none' starts nothing: there is no such module",
    }
    for text, problem in bad.items():
        assert found(tmp_path, text)[0].endswith(problem)


def test_every_page_of_the_repository_is_checked() -> None:
    assert {"README.md", "docs/settings.md", "docs/fidelity/arm.md"} <= set(pages(ROOT))
