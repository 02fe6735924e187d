"""Checks every Markdown page: short sentences, short table cells, and links, paths and commands that lead somewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

LONGEST_SENTENCE = 30
"""Words."""

LONGEST_CELL = 160
"""Characters of a table cell, as a reader sees them."""

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9])|(?:^|\s)\[\^[\w-]+\]: ")
_WORD = re.compile(r"[^\W_]")
_PATH = re.compile(r"[\w.-]+(/[\w.-]+)+/?")
_MODULE = re.compile(r"python -m ([a-z_]\w*(?:\.\w+)*)")
_HTML_ANCHOR = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")
_CODE = "Code"  # stands for a code span: one word, and its dots end no sentence


@dataclass(frozen=True)
class Problem:
    """A fault of a page.

    Attributes:
        page: Path of the page below the root.
        line: Its line, from 1.
        text: What is wrong, and what to do.
    """

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def pages(root: Path) -> list[str]:
    """Return the repository's Markdown pages, sorted; what is fetched or generated in hidden folders is not ours."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name == ".github" or not name.startswith((".", "__"))]
        found += [str((Path(folder) / name).relative_to(root)) for name in files if name.endswith(".md")]
    return sorted(found)


def check(root: Path, page: str) -> list[Problem]:
    """Return the faults of a page."""
    text = (root / page).read_text(encoding="utf-8")
    problems = [
        Problem(page, text[: found.start()].count("\n") + 1, f"'{found[0]}' starts nothing: there is no such module")
        for found in _MODULE.finditer(text)
        if not _is_module(root, found[1])
    ]
    cell = False
    for token in _parse(text):
        if token.type in {"td_open", "th_open"}:
            cell = True
        elif token.type in {"td_close", "th_close"}:
            cell = False
        elif token.type == "inline":
            line = (token.map or [0])[0] + 1
            problems += [Problem(page, line, told) for told in _dead_ends(root, page, token)]
            problems += [Problem(page, line, told) for told in _too_long(token, cell=cell)]
    return problems


def _parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def _too_long(token: Token, *, cell: bool) -> Iterator[str]:
    seen = _visible(token, keep_code=True)
    if cell and len(seen) > LONGEST_CELL:
        yield f"table cell of {len(seen)} characters, at most {LONGEST_CELL}: {seen[:60]} …"
    for sentence in _SENTENCE_END.split(_visible(token, keep_code=False)):
        words = sum(1 for word in sentence.split() if _WORD.search(word))
        if words > LONGEST_SENTENCE:
            yield f"sentence of {words} words, at most {LONGEST_SENTENCE}: {' '.join(sentence.split())[:60]} …"


def _visible(token: Token, *, keep_code: bool) -> str:
    """Return the text that a reader sees; a code span is kept, or stands as one word."""
    parts = []
    for child in token.children or []:
        if child.type == "code_inline":
            parts.append(child.content if keep_code else _CODE)
        elif child.type in {"softbreak", "hardbreak"} or (child.type == "html_inline" and "<br" in child.content):
            parts.append("\n" if keep_code else " ")
        elif child.type in {"text", "image"}:
            parts.append(child.content)
    return "".join(parts)


def _dead_ends(root: Path, page: str, token: Token) -> Iterator[str]:
    for child in token.children or []:
        if child.type in {"link_open", "image"}:
            told = _dead_link(root, page, str(child.attrGet("href") or child.attrGet("src")))
            if told:
                yield told
        elif child.type == "code_inline" and _PATH.fullmatch(child.content):
            first = child.content.split("/")[0]
            if not first.startswith(".") and (root / first).is_dir() and not (root / child.content).exists():
                yield f"`{child.content}`: there is no such file or folder"


def _dead_link(root: Path, page: str, target: str) -> str | None:
    url = urlsplit(target)
    if url.scheme or url.netloc:
        return None
    to = ((root / page).parent / unquote(url.path)).resolve() if url.path else root / page
    if not to.is_relative_to(root.resolve()) or not to.exists():
        return f"link to {target}: there is no such file"
    if url.fragment and to.suffix == ".md" and url.fragment not in _anchors(to):
        return f"link to {target}: the page has no such heading"
    return None


@cache
def _anchors(page: Path) -> frozenset[str]:
    """Return the anchors that GitHub gives a page's headings, and those of its own."""
    text = page.read_text(encoding="utf-8")
    tokens = _parse(text)
    anchors: list[str] = _HTML_ANCHOR.findall(text)
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            slug = re.sub(r"[^\w\- ]", "", _visible(inline, keep_code=True).lower()).replace(" ", "-")
            again = sum(1 for anchor in anchors if re.fullmatch(re.escape(slug) + r"(-\d+)?", anchor))
            anchors.append(f"{slug}-{again}" if again else slug)
    return frozenset(anchors)


def _is_module(root: Path, name: str) -> bool:
    """Return whether a module of ours exists and can be started; others' are not looked up."""
    room, *_ = name.split(".")
    path = root.joinpath(*name.split("."))
    return not (root / room).is_dir() or path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
