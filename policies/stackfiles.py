"""What a stack file says of VM sizes, beside the pack's list, which is the authority.

A program may have a list of its own, such as this platform's `allowedVmSizes`, by which it refuses a size before any
preview. It may be narrower than the pack's list for that stack, and never wider.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from policies import config as config_
from policies import vmsizes
from policies.textfiles import read_text

KEY: Final = "allowedVmSizes"
RULE: Final = "machinelearning-compute-allow-vm-sizes"


def disagreements(stack: str, entry: Mapping[str, Any], file: Path, folder: Path = config_.FOLDER) -> Iterator[str]:
    """The sizes that a stack file allows and the pack does not, a sentence each that names both places.

    Args:
        stack: Name of the stack.
        entry: The rule's configuration for the stack.
        file: The stack file; nothing is told of one that is not there.
        folder: Where the pack's layers are.

    Raises:
        TextFileError: The stack file cannot be read.
    """
    if not file.is_file() or entry[config_.LEVEL] == "disabled":
        return
    try:
        root = yaml.compose(read_text(file))
    except yaml.YAMLError:
        return  # the program says what is wrong with its own file
    allowed, denied = entry.get("allowed", []), entry.get("denied", [])
    for size, line in _sizes(root):
        fits = not allowed or any(vmsizes.matches(size, pattern) for pattern in allowed)
        if not fits or any(vmsizes.matches(size, pattern) for pattern in denied):
            yield (
                f"{file}:{line}: {KEY} has {size}, which {RULE} in {folder / stack}.json does not allow; the pack's "
                "list is the authority: take the size out of the stack file, or have it added there"
            )


def _sizes(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """The sizes of every such list in a YAML file, with their lines."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == KEY and isinstance(value, yaml.SequenceNode):
                yield from ((str(one.value), one.start_mark.line + 1) for one in value.value)
            else:
                yield from _sizes(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _sizes(item)
