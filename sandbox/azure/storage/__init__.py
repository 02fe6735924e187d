"""Blob and Data Lake storage: `ACCOUNT.blob.core.windows.net` and `ACCOUNT.dfs.core.windows.net`.

`service` picks the endpoint (`blob_service`, `dfs_service`), after `authorization` has found out who calls. `container`
and `directories` are what both endpoints do, `content` is where the bytes are. `accounts`, `containers`, `blobs` and
`sas` are what other services call in process.
"""

from sandbox.azure.storage.service import app

__all__ = ["app"]
