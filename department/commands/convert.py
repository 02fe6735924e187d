"""`convert`: prints or writes the stack file that a config.yml becomes."""

import sys
from pathlib import Path

import yaml

from settings.convert import ConversionError, convert
from settings.problems import KEY
from settings.yamlfile import YamlError, read_yaml
from terminal import write_whole

_HEADER = "# yaml-language-server: $schema=docs/settings.schema.json\n"


def run(file: Path, output: Path | None) -> int:
    """Convert `file`; print the stack file, or write it to `output`, which must not exist.

    Raises:
        ConversionError: The file cannot be converted.
        OSError: The output cannot be written.
    """
    if output and output.exists():
        raise ConversionError(str(output), ["is there already; delete it or name another file."])
    try:
        content = read_yaml(file, as_text=True).value
    except YamlError as error:
        raise ConversionError(str(file), [str(error)]) from None
    department, notes = convert(content, str(file))
    text = _HEADER + yaml.safe_dump({"config": {KEY: department}}, sort_keys=False, width=120, allow_unicode=True)
    if output:
        write_whole(output, text)
    else:
        print(text, end="")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    return 0
