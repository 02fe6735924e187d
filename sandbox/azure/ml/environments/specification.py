"""What an environment asks for, and the files that say it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.ml.environments import conda, requirements
from sandbox.azure.ml.environments.errors import SpecificationError

_KEY = re.compile(r"^\w+\s*:(?:\s|$)", re.MULTILINE)  # of a conda file; a requirements file has none


@dataclass(frozen=True)
class Specification:
    """What to install.

    Attributes:
        python: The Python version that it asks for, as PEP 440 has it: `==3.11.*`, `>=3.9,<3.12`; empty for any.
        requirements: Lines of a requirements file, in the order given.
        conda: Those of the requirements that stand for conda packages: what PyPI does not have of them is left out.
        differs: What of it cannot be had on this machine, for a warning.
        instead: Other requirements to try, one list after the other, where these have no solution; only from wheels.
        variables: What its processes see beside the node's own variables, which come first.
    """

    python: str = ""
    requirements: tuple[str, ...] = ()
    conda: frozenset[str] = frozenset()
    differs: tuple[str, ...] = ()
    instead: tuple[tuple[str, ...], ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


def specification(properties: dict[str, Any]) -> Specification:
    """What an environment version's image and conda file ask for.

    Raises:
        SpecificationError: The conda file is not valid.
    """
    image, conda_file = properties.get("image"), properties.get("condaFile")
    if not conda_file:
        return Specification(differs=(f"the image {image} is not used: only what the host's Python has is there",))
    return parse(str(conda_file))


def parse(text: str) -> Specification:
    """A conda file, or a requirements file.

    Raises:
        SpecificationError: It is neither.
    """
    text = text.removeprefix("\ufeff")
    if not _KEY.search(text):
        return Specification(requirements=tuple(requirements.lines(text)))
    found = conda.read(text)
    return Specification(found.python, tuple(found.requirements), frozenset(found.packages), tuple(found.left_out))


__all__ = ["Specification", "SpecificationError", "parse", "specification"]
