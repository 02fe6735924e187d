"""A command's expressions: `${{inputs.x}}`, `${{outputs.y}}`, `${{search_space.z}}`, and optional parts `$[[ … ]]`.

Source: learn.microsoft.com/azure/machine-learning/reference-yaml-core-syntax and how-to-manage-inputs-outputs-pipeline.
"""

import re
from collections.abc import Mapping

EXPRESSION = re.compile(r"\$\{\{\s*([^}]*?)\s*\}\}")
OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
REFERENCE = re.compile(r"(inputs|outputs)\.([A-Za-z_][A-Za-z0-9_]*)(?:\.path)?")


def references(command: str) -> list[tuple[str, str, str]]:
    """What a command refers to: the expression, `inputs` or `outputs`, and the name; empty for what is neither."""
    found = []
    for match in EXPRESSION.finditer(command):
        known = REFERENCE.fullmatch(match[1])
        found.append((match[0], known[1] if known else "", known[2] if known else match[1]))
    return found


def optional_names(command: str) -> set[str]:
    """The inputs that stand only in optional parts, and so may be missing."""
    inside = {name for part in OPTIONAL.findall(command) for _, kind, name in references(part) if kind == "inputs"}
    outside = {name for _, kind, name in references(OPTIONAL.sub("", command)) if kind == "inputs"}
    return inside - outside


def interpolate(command: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> str:
    """The command line with values in place of expressions; an optional part goes where an input of it is missing.

    Raises:
        KeyError: A value is missing.
    """
    values = {"inputs": inputs, "outputs": outputs}

    def optional(match: re.Match[str]) -> str:
        missing = [name for _, kind, name in references(match[1]) if name not in values.get(kind, {})]
        return "" if missing else match[1]

    def value(match: re.Match[str]) -> str:
        known = REFERENCE.fullmatch(match[1])
        if known is None:
            raise KeyError(match[1])
        return values[known[1]][known[2]]

    return EXPRESSION.sub(value, OPTIONAL.sub(optional, command))
