"""A pipeline's own log, which clients show while it runs."""

import logging

from sandbox.azure import clock
from sandbox.azure.ml.access import AccessError, open_place
from sandbox.azure.ml.identities import workspace_identity
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import AddressError, artifacts
from sandbox.azure.storage.authorization import WRITE
from sandbox.azure.storage.blobs import append
from sandbox.azure.storage.errors import StorageError

NAME = "logs/azureml/executionlogs.txt"


class ExecutionLog:
    """Lines in a blob of the pipeline's artifacts. A log that cannot be written holds nothing up."""

    def __init__(self, scope: Scope, run: str) -> None:
        self._scope, self._run = scope, run

    def write(self, text: str) -> None:
        """Adds a line with the time before it."""
        line = f"[{clock.now():%Y-%m-%d %H:%M:%SZ}] {text}\n"
        try:
            place = open_place(self._scope, artifacts(self._scope, self._run), workspace_identity(self._scope))
            place.require(WRITE, name := f"{place.path}/{NAME}")
            container = place.container
            append(container.cloud, container.account.name, container.name, name, line.encode())
        except (AccessError, AddressError, StorageError) as error:
            logging.warning("run %s: %s cannot be written: %s", self._run, NAME, error)
