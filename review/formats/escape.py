"""Makes free text harmless: in a terminal, in GitHub's Markdown and in HTML.

GitHub turns `@name`, `#1`, `GH-1`, `owner/name#1` and addresses in text into links, and notifies whom a comment
mentions. In code it does neither, and a word joiner (U+2060) keeps it from seeing them elsewhere.
"""

import html
import re
import unicodedata

LONGEST = 300
"""Characters of one text that a report shows."""
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")
_SPACE = re.compile(r"\s+")
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-!|~&$^=])")
_LINKED = re.compile(r"([@#]|:(?=//)|\bwww(?=\.)|\bGH(?=-))", re.IGNORECASE)
_JOINER = "\u2060"
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})


def plain(text: object, most: int = LONGEST) -> str:
    """One line without control codes, direction marks and unseen characters, cut to a length."""
    shown = _SPACE.sub(" ", _ANSI.sub("", str(text)))
    if not shown.isprintable():
        shown = "".join(char for char in shown if unicodedata.category(char) not in _UNSEEN)
    shown = shown.strip()
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def marked(text: object, most: int = LONGEST) -> str:
    """Text for Markdown that is neither markup nor a link, and mentions nobody."""
    return _MARKS.sub(r"\\\1", _LINKED.sub(rf"\1{_JOINER}", plain(text, most)))


def code(text: object, most: int = LONGEST) -> str:
    """A code span for a cell of a Markdown table."""
    shown = plain(text, most) or " "
    fence = "`" * (max(map(len, re.findall(r"`+", shown)), default=0) + 1)
    pad = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{fence}{pad}{shown}{pad}{fence}".replace("|", r"\|")


def hypertext(text: object, most: int = LONGEST) -> str:
    """Text for a block of raw HTML in Markdown, which is not read as Markdown but searched for names to mention."""
    return _LINKED.sub(rf"\1{_JOINER}", html.escape(plain(text, most)).replace("&#x27;", "&apos;"))
