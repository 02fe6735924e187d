"""Secrets and keys of a vault: made through the resource manager, deleted and recovered through the vault itself."""

import time
from typing import Any

import requests

from sandbox.providers.arm import Arm, Target
from sandbox.providers.http import VAULT, Client, Refused, retry_after
from sandbox.providers.values import Properties

_VERSION = {"api-version": "7.4"}
_PATIENCE = 180.0  # seconds within which a conflict may turn out to be a soft-deleted item
_PAUSE = 5.0
_FRUITLESS = 6  # conflicts in a row with nothing to recover, after which the conflict is another one


class VaultItems:
    """The items of one kind.

    Args:
        client: For the vault's own endpoint.
        arm: For the resource manager.
        kind: `secrets` or `keys`.
    """

    def __init__(self, client: Client, arm: Arm, kind: str) -> None:
        self._client, self._arm, self._kind = client, arm, kind
        self._name = {"secrets": "secretName", "keys": "keyName"}[kind]

    def create(self, target: Target, inputs: Properties, body: Properties) -> Properties:
        """PUTs the item; where its name is soft-deleted, recovers that first and PUTs again.

        Raises:
            Refused: The vault refused, or a conflict has another cause.
        """
        end, fruitless = time.monotonic() + _PATIENCE, 0
        while True:
            try:
                return self._arm.write(target, body, seconds=_PATIENCE, long_running=False)
            except Refused as refused:
                pause = self._recover(inputs) if refused.status == requests.codes.conflict else None
                fruitless = 0 if pause is not None else fruitless + 1
                if refused.status != requests.codes.conflict or fruitless == _FRUITLESS or time.monotonic() > end:
                    raise
            self._client.wait(_PAUSE if pause is None else pause)

    def _recover(self, inputs: Properties) -> float | None:
        """Asks for the item back; seconds to wait for it, or None where it is not soft-deleted."""
        deleted = f"deleted{self._kind}/{inputs[self._name]}"
        answer = self._request("GET", inputs, deleted, accepted=(200, 403, 404))
        if answer.status_code != requests.codes.ok:
            return None
        return retry_after(self._request("POST", inputs, f"{deleted}/recover"), otherwise=0)

    def delete(self, inputs: Properties) -> None:
        """Deletes the item, which a vault with soft delete keeps for its retention; what is gone is well."""
        self._request("DELETE", inputs, f"{self._kind}/{inputs[self._name]}", accepted=(200, 204, 404))

    def _request(self, method: str, inputs: Properties, path: str, **options: Any) -> requests.Response:
        url = f"https://{inputs['vaultName']}.vault.azure.net/{path}"
        return self._client.request(method, url, audience=VAULT, query=_VERSION, **options)
