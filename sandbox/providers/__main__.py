"""`python -m sandbox.providers NAME`: serves a stand-in as a plugin, as Pulumi starts it."""

import sys

from sandbox.providers.plugins import PROVIDERS, serve


def main(arguments: list[str]) -> int:
    """Serves the named provider; further arguments are the engine's address, which is not needed."""
    if not arguments or arguments[0] not in PROVIDERS:
        print(f"usage: python -m sandbox.providers {'|'.join(PROVIDERS)}", file=sys.stderr)
        return 2
    serve(arguments[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
