"""A command's expressions: `${{inputs.x}}`, `${{outputs.y}}`, `${{search_space.z}}`, and optional parts `$[[ … ]]`.

Source: learn.microsoft.com/azure/machine-learning/reference-yaml-core-syntax and how-to-manage-inputs-outputs-pipeline.
"""

import re
import shlex
from collections.abc import Container, Mapping

EXPRESSION = re.compile(r"\$\{\{\s*([^}]*?)\s*\}\}")
OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
REFERENCE = re.compile(r"(inputs|outputs)\.([A-Za-z_][\w.]*?)(?:\.path)?")


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


def interpolate(
    command: str, inputs: Mapping[str, str], outputs: Mapping[str, str], literals: Container[str] = ()
) -> str:
    """The command line with values in place of expressions; an optional part goes where an input of it is missing.

    Args:
        command: The command, for bash.
        inputs: Values of inputs.
        outputs: Values of outputs.
        literals: The inputs that go in as they are. All others are paths: bash reads each as one word, whether its
            expression stands bare, in single or in double quotes.

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
        found = values[known[1]][known[2]]
        if known[1] == "inputs" and known[2] in literals:
            return found
        return _word(found, _quote(match.string[: match.start()]))

    return EXPRESSION.sub(value, OPTIONAL.sub(optional, command))


def _word(text: str, quote: str) -> str:
    """Text that bash reads as it is, where a quote is open or none."""
    if quote == "'":
        return text.replace("'", "'\\''")
    if quote == '"':
        return re.sub(r'([\\"$`])', r"\\\1", text)
    return shlex.quote(text)


def _quote(before: str) -> str:
    """The quote that is open after a part of a command; empty for none. A `$(` within quotes begins without one."""
    open_quotes, at = [""], 0
    while at < len(before):
        one, quote = before[at], open_quotes[-1]
        if quote == "'":
            open_quotes[-1] = "" if one == "'" else quote
        elif one == "\\":
            at += 1
        elif before.startswith("$(", at):
            open_quotes.append("")
            at += 1
        elif one == ")" and not quote and len(open_quotes) > 1:
            open_quotes.pop()
        elif one == '"':
            open_quotes[-1] = "" if quote else one
        elif one == "'" and not quote:
            open_quotes[-1] = one
        at += 1
    return open_quotes[-1]
