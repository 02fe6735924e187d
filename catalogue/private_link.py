"""The DNS zones in which private endpoints have their names."""

from collections.abc import Mapping

ZONES: Mapping[str, tuple[str, ...]] = {
    "amlworkspace": ("privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"),
    "blob": ("privatelink.blob.core.windows.net",),
    "dfs": ("privatelink.dfs.core.windows.net",),
    "file": ("privatelink.file.core.windows.net",),
    "queue": ("privatelink.queue.core.windows.net",),
    "table": ("privatelink.table.core.windows.net",),
    "vault": ("privatelink.vaultcore.azure.net",),
    "registry": ("privatelink.azurecr.io",),
    "amlregistry": ("privatelink.api.azureml.ms",),
}
"""DNS zones that know a private endpoint's names, by what it leads to.

Source: learn.microsoft.com/azure/private-link/private-endpoint-dns. A workspace needs both of its zones."""

ALL_ZONES = tuple(dict.fromkeys(zone for zones in ZONES.values() for zone in zones))
"""Each of the zones once."""
