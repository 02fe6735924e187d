"""Key Vault's secrets: `VAULT.vault.azure.net`.

`service` parses and answers, `authorization` decides, `secrets` keeps secrets and is what other services call in
process.
"""

from sandbox.azure.keyvault.service import app

__all__ = ["app"]
