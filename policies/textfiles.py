"""Text files as editors and shells on any system write them."""

import codecs
from pathlib import Path

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),  # what `>` writes in Windows PowerShell
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class TextFileError(OSError):
    """A file cannot be read; the text names it and says why."""


def read_text(file: Path) -> str:
    """A file's text, with or without a byte order mark, with the line ends of any system.

    Raises:
        TextFileError: It cannot be read, or is no text.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise TextFileError(f"{file} cannot be read: {error.strerror or error}") from error
    return decoded(content, str(file))


def decoded(content: bytes, source: str) -> str:
    """The text of bytes, with or without a byte order mark, with the line ends of any system.

    Raises:
        TextFileError: They are no text.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise TextFileError(f"{source} is no text in UTF-8 or UTF-16") from error
