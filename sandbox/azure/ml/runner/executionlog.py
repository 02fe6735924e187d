"""The own log of a pipeline or a sweep, which clients show while it runs."""

import logging

from sandbox.azure.ml.access import AccessError, open_place
from sandbox.azure.ml.identities import workspace_identity
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import AddressError, artifacts
from sandbox.azure.storage.authorization import WRITE
from sandbox.azure.storage.blobs import append
from sandbox.azure.storage.errors import StorageError

PIPELINE, SWEEP = "logs/azureml/executionlogs.txt", "azureml-logs/hyperdrive.txt"


class ExecutionLog:
    """Lines in a blob of the run's artifacts. A log that cannot be written holds nothing up.

    Args:
        scope: The workspace.
        run: The run.
        name: The log's name among its artifacts.
    """

    def __init__(self, scope: Scope, run: str, name: str) -> None:
        self._scope, self._run, self._name = scope, run, name

    def write(self, *lines: str) -> None:
        """Adds lines."""
        text = "".join(f"{line}\n" for line in lines)
        try:
            place = open_place(self._scope, artifacts(self._scope, self._run), workspace_identity(self._scope))
            place.require(WRITE, name := f"{place.path}/{self._name}")
            container = place.container
            append(container.cloud, container.account.name, container.name, name, text.encode())
        except (AccessError, AddressError, StorageError) as error:
            logging.warning("run %s: %s cannot be written: %s", self._run, self._name, error)
