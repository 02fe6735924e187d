"""The project, stack and options that a command works with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.engine.project import Config, Project
from sandbox.engine.provider import Factory
from sandbox.engine.state.backend import Backend, Stack
from sandbox.engine.values import Map


@dataclass
class Workspace:
    """The project, stack and configuration that an operation works with."""

    project: Project
    stack: Stack
    backend: Backend
    config: Config
    factories: Mapping[str, Factory] = field(default_factory=dict)
    packs: Sequence[tuple[Path, Map]] = ()  # policy packs and their configuration
