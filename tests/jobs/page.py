"""The commands of a page, run in its order by one shell, as a reader types them."""

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from markdown_it import MarkdownIt

from tests.conftest import ROOT

_MARK = "@@ "


def commands(page: Path) -> list[str]:
    """The lines of the page's fenced blocks of `sh`; each is a whole command."""
    blocks = [token.content for token in MarkdownIt().parse(page.read_text()) if token.info == "sh"]
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def run(page: Path, environment: Mapping[str, str], timeout: int) -> dict[str, str]:
    """Runs the page; what each command printed, without the comment behind it. The first that fails ends it."""
    lines = commands(page)
    script = "".join(f"printf '%s\\n' {shlex.quote(_MARK + line)}\n{line}\n" for line in lines)
    done = subprocess.run(
        ["bash", "--norc", "-e", "-c", script],
        cwd=ROOT, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=timeout, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    said = done.stdout.split(_MARK)[1:]
    assert len(said) == len(lines), done.stdout
    printed = (text.partition("\n") for text in said)
    return {line.partition(" #")[0].strip(): text for line, _, text in printed}
