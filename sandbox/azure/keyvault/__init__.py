"""Key Vault's secrets: `VAULT.vault.azure.net`.

`app` is the service with its table of operations, `authorization` decides who may do what, `secrets` stores secrets
and is what other services call in process.
"""
