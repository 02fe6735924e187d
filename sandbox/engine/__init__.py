"""An embedded Pulumi engine for Python programs: Pulumi's own semantics, state and command line, in one process.

Where the `pulumi` command is absent, `main` runs the same program, in the order and with the provider calls of the real
engine. docs/engine.md says what is where.
"""

from sandbox.engine.commands.main import main

__all__ = ["main"]
