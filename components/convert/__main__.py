"""`python -m components.convert config.yml`: prints or writes the stack file."""

import argparse
import sys
from pathlib import Path

import yaml

from components.convert import ConversionError, convert
from components.files import write_whole
from components.settings.problems import KEY
from components.settings.yamlfile import YamlError, read_yaml

_HEADER = "# yaml-language-server: $schema=docs/settings.schema.json\n"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if the file was converted, 1 if not, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m components.convert", description="A stack file from a config.yml.")
    parser.add_argument("file", type=Path, help="config.yml of amls_admin")
    parser.add_argument("--output", type=Path, metavar="FILE", help="stack file to write, such as Pulumi.dev.yaml")
    options = parser.parse_args(arguments)
    if options.output and options.output.exists():
        return _fail(f"{options.output}: is there already; delete it or name another file.")
    try:
        department, notes = convert(read_yaml(options.file, as_text=True), str(options.file))
    except ConversionError as error:
        return _fail(str(error))
    except YamlError as error:
        return _fail(f"{options.file}: {error}")
    text = _HEADER + yaml.safe_dump({"config": {KEY: department}}, sort_keys=False, width=120, allow_unicode=True)
    if options.output:
        try:
            write_whole(options.output, text)
        except OSError as error:
            return _fail(f"{options.output}: cannot be written: {error.strerror}.")
    else:
        print(text, end="")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    return 0


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
