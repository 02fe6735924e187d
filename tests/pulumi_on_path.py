"""Something called `pulumi` on PATH, as most who try the product have it, where no real one can be installed."""

import os
import sys
from pathlib import Path

from tests.conftest import ROOT

# As the real one without a login (its own words); with a backend it is the embedded engine, with plugins as providers.
_COMMAND = """#!{python}
import os, sys

if not os.environ.get("PULUMI_BACKEND_URL"):
    sys.exit("error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions")
os.environ["PYTHONPATH"] = {root!r}
os.execv({python!r}, [{python!r}, "-m", "sandbox.engine", *sys.argv[1:]])
"""


def install(folder: Path) -> str:
    """Write the command into a folder; returns the PATH on which it comes first."""
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / "pulumi"
    command.write_text(_COMMAND.format(python=sys.executable, root=str(ROOT)))
    command.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
