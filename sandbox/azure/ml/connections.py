"""A workspace's connections to other services: addresses, and credentials that are write-only."""

import copy
import json
import re
from collections.abc import Mapping
from typing import ClassVar

from sandbox.azure.arm.core import Action, Body, Call, ResourceType, Rule, properties_of, system_data
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml.errors import AccountError, UserError
from sandbox.azure.ml.names import WORKSPACES, workspace_id, zulu
from sandbox.azure.sealed import seal, unseal

TYPE = f"{WORKSPACES}/connections"
SECRETS = "connectionSecret"
# By authType: what its credentials must have. Source: models WorkspaceConnection*Properties.
CREDENTIALS: dict[str, tuple[str, ...]] = {
    "AAD": (),
    "None": (),
    "ManagedIdentity": (),
    "AccountKey": ("key",),
    "ApiKey": ("key",),
    "SAS": ("sas",),
    "PAT": ("pat",),
    "UsernamePassword": ("username", "password"),
    "AccessKey": ("accessKeyId", "secretAccessKey"),
    "ServicePrincipal": ("clientId", "clientSecret", "tenantId"),
    "CustomKeys": ("keys",),
    "OAuth2": (),
}


# By category as the service writes it: its group. Recorded for these; for others assumed.
GROUPS = {"S3": "File", "Git": "ServicesAndApps", "AzureOpenAI": "AzureAI"}
DEFAULTS: Body = {
    "group": "ServicesAndApps",
    "expiryTime": None,
    "useWorkspaceManagedIdentity": False,
    "isSharedToAll": False,
    "sharedUserList": [],
    "peRequirement": "NotRequired",
    "peStatus": "NotApplicable",
    "error": None,
    "isDefault": True,
    "metadata": {},
}


class Connection(ResourceType):
    """`…/workspaces/connections`."""

    type: ClassVar[str] = TYPE
    tracked: ClassVar[bool] = False
    name_pattern: ClassVar[re.Pattern[str]] = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}")
    required: ClassVar[tuple[str, ...]] = ("properties.authType", "properties.category")
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.authType": frozenset(CREDENTIALS),
        "properties.category": str,
        "properties.credentials": dict,
    }
    create_status: ClassVar[int] = 200

    @property
    def actions(self) -> dict[str, Action]:
        """POST actions."""
        return {"listsecrets": self._list_secrets}

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses credentials that lack a part."""
        properties = properties_of(call.body)
        given = properties.get("credentials") or {}
        kept = old is not None and call.cloud.store.get(SECRETS, call.id.key) is not None
        for part in CREDENTIALS[properties["authType"]]:
            if not given.get(part) and not (kept and not given):
                raise UserError(
                    400,
                    f"A connection with authType {properties['authType']} needs credentials.{part}.",
                    "BadArgument",
                    target=f"properties.credentials.{part}",
                )

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Takes the credentials out, adds what the service does; a second PUT makes it anew."""
        sent = {name: value for name, value in call.body["properties"].items() if value is not None}
        sent.pop("credentials", None)
        known = {category.lower(): category for category in GROUPS}
        category = known.get(sent["category"].lower(), sent["category"])
        given: Body = {} if sent["authType"] == "None" else {"credentials": None}
        own = {
            "group": GROUPS.get(category, DEFAULTS["group"]),
            "category": category,
            "createdByWorkspaceArmId": call.id.parent,
        }
        return {
            "tags": None,
            "location": None,
            "properties": {**DEFAULTS, **sent, **given, **own},
            "systemData": zulu(system_data(call.cloud, call.caller, None)),
        }

    def missing(self, call: Call) -> AzureError:
        """404 in the form of the service for connections."""
        region = (call.resource(workspace_id(call.id.text)) or {"location": "sandbox"})["location"]
        text = f"Connection {call.id.name} can't be found in this workspace"
        return AccountError(404, text, "NotFoundError", region=region)

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """Seals the credentials apart from the resource."""
        given = properties_of(call.body).get("credentials")
        if given:
            sealed = seal(call.cloud.directory, json.dumps(given))
            call.cloud.store.put(SECRETS, call.id.key, {"sealed": sealed})

    def deleted(self, call: Call, resource: Body) -> None:
        """Removes the connection's credentials."""
        call.cloud.store.delete(SECRETS, resource["id"].lower())

    @staticmethod
    def _list_secrets(call: Call, resource: Body) -> Body:
        kept = call.cloud.store.get(SECRETS, resource["id"].lower())
        shown = copy.deepcopy(resource)
        shown["properties"]["credentials"] = json.loads(unseal(call.cloud.directory, kept["sealed"])) if kept else None
        return shown
