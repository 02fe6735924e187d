"""`convert`: prints or writes the stack file that a config.yml becomes."""

import sys
from pathlib import Path

import yaml

from operations.files import write_whole
from settings.convert import ConversionError, convert
from settings.problems import KEY
from settings.yamlfile import YamlError, read_yaml

_HEADER = "# yaml-language-server: $schema=docs/settings.schema.json\n"


def run(file: Path, output: Path | None) -> int:
    """Exit code 0 if the file was converted, 1 if not."""
    if output and output.exists():
        return _fail(f"{output}: is there already; delete it or name another file.")
    try:
        department, notes = convert(read_yaml(file, as_text=True).value, str(file))
    except ConversionError as error:
        return _fail(str(error))
    except YamlError as error:
        return _fail(f"{file}: {error}")
    text = _HEADER + yaml.safe_dump({"config": {KEY: department}}, sort_keys=False, width=120, allow_unicode=True)
    if output:
        try:
            write_whole(output, text)
        except OSError as error:
            return _fail(f"{output}: cannot be written: {error.strerror}.")
    else:
        print(text, end="")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    return 0


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1
