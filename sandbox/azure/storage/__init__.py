"""Blob and Data Lake storage: `ACCOUNT.blob.core.windows.net` and `ACCOUNT.dfs.core.windows.net`.

`app` is the service; `authorization` finds out who calls, then an endpoint (`blob_service`, `dfs_service`) answers.
`container` and `directories` are what both endpoints do, `content` is where the bytes are. `accounts`, `containers`,
`blobs` and `sas` are what other services call in process.
"""
