"""Blob and Data Lake storage: `ACCOUNT.blob.core.windows.net` and `ACCOUNT.dfs.core.windows.net`.

`accounts`, `containers` and `blobs` are what other services call in process.
"""
