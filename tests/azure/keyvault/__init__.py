"""Key Vault's data plane, through the gateway, by azure-keyvault-secrets."""
