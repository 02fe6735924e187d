"""Encryption with a key of the customer's own, and key vaults."""

from typing import Self

from pydantic import Field, model_validator

from settings.ids import IdentityId, KeyId
from settings.types import Section, fault, resolved


class CustomerKey(Section):
    """A key of the customer's own, which encrypts the team's data in place of Microsoft's.

    The key is in a vault with purge protection. Later, only another key of the same vault can replace it. The
    identity has the role Key Vault Crypto Service Encryption User on the key; without serviceSide, Azure Cosmos DB's
    service principal needs that role, too.

    With serviceSide, Azure ML keeps the workspace's metadata encrypted on its own side. This is a preview, and not for
    private networks. Without it, Azure ML makes a Cosmos DB, a search service and a storage account in the
    subscription, for which Azure charges.
    """

    key_id: KeyId | None = Field(
        default=None,
        description=(
            "Id of a key that exists, in the department's subscription. One is made in the team's vault if left out."
        ),
    )
    identity_id: IdentityId | None = Field(
        default=None,
        description=(
            "Id of a user-assigned identity that may encrypt with the key. Give both keyId and identityId, or neither."
        ),
    )
    service_side: bool = Field(
        default=False, description="Whether Azure ML keeps the workspace's metadata on its own side."
    )

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.key_id is None) != (self.identity_id is None):
            raise fault("has keyId and identityId together or neither.")
        return self


class KeyVault(Section):
    """Protection of the teams' key vaults from deletion by mistake."""

    purge_protection: bool = resolved(
        "Whether a deleted vault stays until its retention ends. Once on, it cannot be turned off. "
        "If left out: true in environment pro, else false."
    )
    retention_days: int = Field(
        default=90,
        ge=7,
        le=90,
        description="Days in which a deleted vault can be recovered, 7 to 90. Fixed when the vault is made.",
    )
