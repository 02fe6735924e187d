"""What is assumed about use that no setting tells. Each report names the assumptions that its sums rest on."""

from dataclasses import dataclass
from decimal import Decimal

BALANCED_NODES = 50
"""Nodes of a cluster that have one load balancer.

Source: learn.microsoft.com/azure/machine-learning/concept-plan-manage-cost.
"""

RETENTION_INCLUDED = 31
"""Days for which Log Analytics keeps logs without a charge (learn.microsoft.com/azure/azure-monitor/logs/cost-logs)."""

MONTH_DAYS = Decimal(365) / 12


@dataclass(frozen=True)
class Use:
    """How much of a service is used in a month.

    Attributes:
        idle: While nobody works.
        busy: While people work.
        words: The assumption, as reports show it.
    """

    idle: Decimal
    busy: Decimal
    words: str


STORED = Use(Decimal(100), Decimal(100), "100 GB kept in a storage account")
LOGS = Use(Decimal(1), Decimal(10), "logs of 1 GB a month while idle, else 10 GB, none of them free")
SECRETS = Use(Decimal(1), Decimal(10), "10,000 key vault operations a month while idle, else 100,000")
