"""Ids of resources that exist, as settings give them."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from settings.types import UNSEEN

_NAME = rf"[^/{UNSEEN}]+"
_GROUP = rf"/subscriptions/[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}/resourceGroups/{_NAME}"
_LONGEST = 120


@dataclass(frozen=True)
class IdOf:
    """An id of one type of resource, in any letter case, since Azure compares ids without it.

    Attributes:
        what: The type in words, with its article.
        type: The type, such as `Microsoft.KeyVault/vaults`; empty for a resource group.
        name: The pattern of the resource's name.
        part: The type of a part of it, such as `subnets`; empty for the resource itself.
    """

    what: str
    type: str = ""
    name: str = _NAME
    part: str = ""

    def check(self, text: str) -> str:
        """The id as it is.

        Raises:
            PydanticCustomError: If it is none of the type.
        """
        below = f"/providers/{re.escape(self.type)}/{self.name}" if self.type else ""
        if self.part:
            below += f"/{self.part}/{_NAME}"
        if not re.fullmatch(_GROUP + below, text, re.IGNORECASE):
            form = "/subscriptions/…/resourceGroups/GROUP" + (f"/providers/{self.type}/NAME" if self.type else "")
            form += f"/{self.part}/NAME" if self.part else ""
            shown = repr(text) if len(repr(text)) <= _LONGEST else f"{repr(text)[:_LONGEST]}…'"
            context = {"text": shown, "what": self.what, "form": form}
            raise PydanticCustomError("own", "{text} is not the id of {what}, which has the form {form}.", context)
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Text that is checked."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Editors look at the form alone: JSON schema has no patterns without letter case."""
        segments = 3 + (4 if self.type else 0) + (2 if self.part else 0)
        return {"type": "string", "pattern": f"^/subscriptions(/[^/]+){{{segments}}}$"}


ResourceGroupId = Annotated[str, IdOf("a resource group")]
KeyVaultId = Annotated[str, IdOf("a key vault", "Microsoft.KeyVault/vaults", "[a-z0-9-]{3,24}")]
RegistryId = Annotated[str, IdOf("a container registry", "Microsoft.ContainerRegistry/registries", "[a-z0-9]{5,50}")]
LogWorkspaceId = Annotated[
    str, IdOf("a Log Analytics workspace", "Microsoft.OperationalInsights/workspaces", "[a-z0-9-]{4,63}")
]
StorageAccountId = Annotated[str, IdOf("a storage account", "Microsoft.Storage/storageAccounts", "[a-z0-9]{3,24}")]
SubnetId = Annotated[str, IdOf("a subnet", "Microsoft.Network/virtualNetworks", part="subnets")]
KeyId = Annotated[str, IdOf("a key in a key vault", "Microsoft.KeyVault/vaults", "[a-z0-9-]{3,24}", part="keys")]
IdentityId = Annotated[
    str, IdOf("a user-assigned managed identity", "Microsoft.ManagedIdentity/userAssignedIdentities")
]
ResourceId = Annotated[
    str,
    Field(pattern=rf"(?i)^{_GROUP}/providers/[a-z.]+(/{_NAME}/{_NAME})+$"),
    WithJsonSchema({"type": "string", "pattern": "^/subscriptions(/[^/]+){7,}$"}),
]
ApplicationInsightsId = Annotated[str, IdOf("an Application Insights resource", "Microsoft.Insights/components")]


def name_in(resource_id: str) -> str:
    """The name of a resource or group."""
    return resource_id.rpartition("/")[2]
