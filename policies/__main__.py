"""Pulumi runs this file to ask the pack about resources; `python -m policies` is the pack's command line."""

import importlib.util
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def _load() -> None:
    """Make this folder the package `policies`, wherever it lies and whatever it is called."""
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != FOLDER]
    spec = importlib.util.spec_from_file_location(
        "policies", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{FOLDER} is not the policy pack: it has no __init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["policies"] = module
    spec.loader.exec_module(module)


if not __package__:
    _load()
if "pulumi.policy" in sys.modules:  # `python -m pulumi.policy ENGINE_ADDRESS FOLDER`, as the engine starts it
    from policies.serve import serve

    serve()
elif __name__ == "__main__":
    from policies.cli import main

    sys.exit(main())
