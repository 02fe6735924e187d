"""An embedded Pulumi engine for Python programs: Pulumi's own semantics, state and command line, in one process.

Where the `pulumi` command is absent, `main` runs the same program, in the order and with the provider calls that the
real engine makes. Its parts carry the names that Pulumi's own have: `monitor` answers the SDK, `generator` decides
on steps, `steps` carries them out, `deployment` drives both, `providers` is the provider host, `state` the file
backend, `display` what is printed.
"""

from sandbox.engine.commands import main

__all__ = ["main"]
