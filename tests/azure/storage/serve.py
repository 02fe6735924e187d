"""A local Azure with one account of each kind, in a process that a test can kill: `python -m ... FOLDER`."""

import sys
import time
from pathlib import Path

from tests.azure.storage.harness import running


def main(directory: Path) -> None:
    """Runs until killed; prints the port and the accounts' keys."""
    with running(directory) as azure:
        print(azure.port, azure.account("flat"), azure.account("lake", isHnsEnabled=True), flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
