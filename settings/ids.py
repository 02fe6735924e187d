"""Ids of resources that exist, as settings give them."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from settings.types import UNSEEN

_NAME = rf"[^/{UNSEEN}]+"
IN_GROUP = rf"^/subscriptions/[0-9a-f-]{{36}}/resourceGroups/{_NAME}"
"""Beginning of a pattern for ids of what is in a resource group."""
RESOURCE = rf"{IN_GROUP}/providers/[A-Za-z.]+(/{_NAME}/{_NAME})+$"
SUBNET = rf"{IN_GROUP}/providers/Microsoft\.Network/virtualNetworks/{_NAME}/subnets/{_NAME}$"

_GROUP = r"/subscriptions/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/resourceGroups/[^/\s]+"
_LONGEST = 120


@dataclass(frozen=True)
class IdOf:
    """An id of one type of resource, in any letter case, since Azure compares ids without it.

    Attributes:
        what: The type in words, with its article.
        type: The type, such as `Microsoft.KeyVault/vaults`; empty for a resource group.
        name: The pattern of the resource's name.
    """

    what: str
    type: str = ""
    name: str = r"[^/\s]+"

    def check(self, text: str) -> str:
        """The id as it is.

        Raises:
            PydanticCustomError: If it is none of the type.
        """
        below = f"/providers/{re.escape(self.type)}/{self.name}" if self.type else ""
        if not re.fullmatch(_GROUP + below, text, re.IGNORECASE):
            form = "/subscriptions/…/resourceGroups/GROUP" + (f"/providers/{self.type}/NAME" if self.type else "")
            shown = repr(text) if len(repr(text)) <= _LONGEST else f"{repr(text)[:_LONGEST]}…'"
            context = {"text": shown, "what": self.what, "form": form}
            raise PydanticCustomError("own", "{text} is not the id of {what}, which has the form {form}.", context)
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Text that is checked."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Editors look at the form alone: JSON schema has no patterns without letter case."""
        below = f"/[^/]+/[^/]+/{self.type.rpartition('/')[2]}/[^/]+" if self.type else ""
        return {"type": "string", "pattern": f"^/subscriptions/[^/]+/[^/]+/[^/]+{below}$"}


ResourceGroupId = Annotated[str, IdOf("a resource group")]
KeyVaultId = Annotated[str, IdOf("a key vault", "Microsoft.KeyVault/vaults", "[a-z0-9-]{3,24}")]
RegistryId = Annotated[str, IdOf("a container registry", "Microsoft.ContainerRegistry/registries", "[a-z0-9]{5,50}")]
LogWorkspaceId = Annotated[
    str, IdOf("a Log Analytics workspace", "Microsoft.OperationalInsights/workspaces", "[a-z0-9-]{4,63}")
]
ApplicationInsightsId = Annotated[str, IdOf("an Application Insights resource", "Microsoft.Insights/components")]


def name_in(resource_id: str) -> str:
    """The name of a resource or group."""
    return resource_id.rpartition("/")[2]
