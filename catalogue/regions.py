"""Azure's public regions, to tell a misspelt one from a real one, and those of its other clouds.

Source: learn.microsoft.com/azure/reliability/regions-list, read 2026-11. A region newer than this list goes here.
"""

REGIONS = frozenset(
    """
    australiacentral australiacentral2 australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth
    brazilsoutheast canadacentral canadaeast centralindia centralus chilecentral denmarkeast eastasia eastus eastus2
    francecentral francesouth germanynorth germanywestcentral indonesiacentral israelcentral italynorth japaneast
    japanwest jioindiacentral jioindiawest koreacentral koreasouth malaysiawest mexicocentral newzealandnorth
    northcentralus northeurope norwayeast norwaywest polandcentral qatarcentral southafricanorth southafricawest
    southcentralus southeastasia southindia spaincentral swedencentral swedensouth switzerlandnorth switzerlandwest
    uaecentral uaenorth uksouth ukwest westcentralus westeurope westindia westus westus2 westus3
    """.split()  # noqa: SIM905 - a table of words reads better than 60 lines of them
)

OTHER_CLOUDS = {
    "Azure Government": ("usgovarizona", "usgoviowa", "usgovtexas", "usgovvirginia", "usdodcentral", "usdodeast"),
    "Azure operated by 21Vianet": (
        "chinaeast", "chinaeast2", "chinaeast3", "chinanorth", "chinanorth2", "chinanorth3",
    ),
    "Azure Germany (closed in 2021)": ("germanycentral", "germanynortheast"),
    "Azure Government Secret and Top Secret": (
        "usnateast", "usnatwest", "usseceast", "ussecwest", "ussecwestcentral",
    ),
}  # fmt: skip
"""Regions of the clouds that have their own addresses and directories, by the cloud.

Source: learn.microsoft.com/azure/azure-government/documentation-government-get-started-connect-with-ps, and
learn.microsoft.com/azure/china/concepts-service-availability.
"""


def find(name: str) -> str | None:
    """A region of Azure's public cloud in any of Azure's spellings (`East US 2`, `EastUS2`), or None."""
    plain = name.replace(" ", "").lower()
    return plain if plain in REGIONS else None


def cloud_of(name: str) -> str | None:
    """The other cloud that a region is of, in any spelling; None if it is of none."""
    plain = name.replace(" ", "").lower()
    return next((cloud for cloud, regions in OTHER_CLOUDS.items() if plain in regions), None)
