"""Workspaces: what they hang on, their identity, their default datastores, and their soft delete."""

import copy
import re
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.access.tenant import COSMOS_DB
from sandbox.azure.arm.core import Action, Body, Call, ResourceType, Rule, parse_id
from sandbox.azure.arm.identities import check_identity, forget_identity, linked_authorization_failed, shown_identity
from sandbox.azure.arm.privatelinks import connections_of
from sandbox.azure.arm.vaultkeys import WRAP, check_key
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml import assets, runs, workspace_actions
from sandbox.azure.ml.datastores import make_defaults
from sandbox.azure.ml.identities import (
    AI_ADMINISTRATOR,
    BLOB_DATA_CONTRIBUTOR,
    FILE_DATA_PRIVILEGED_CONTRIBUTOR,
    KEY_VAULT_ADMINISTRATOR,
    grant,
)
from sandbox.azure.ml.names import WORKSPACES, user_identities, zulu
from sandbox.azure.ml.networks import OFF, check_mode, mode_of, present_network, provision
from sandbox.azure.ml.operations import WORKSPACE, accepted, provisioning_state
from sandbox.azure.ml.schedules.routes import forget as forget_schedules
from sandbox.azure.storage import accounts
from sandbox.azure.store import Store

RETENTION = timedelta(days=14)  # learn.microsoft.com/azure/machine-learning/concept-soft-delete
DEPENDENCIES = {
    "storageAccount": "Microsoft.Storage/storageAccounts",
    "keyVault": "Microsoft.KeyVault/vaults",
    "applicationInsights": "Microsoft.Insights/components",
    "containerRegistry": "Microsoft.ContainerRegistry/registries",
}
SOFT_DELETED = "softDeletedWorkspace"
REQUIRED = ("storageAccount", "keyVault")
# What is there where it is not set. Source: recordings, listed in docs/fidelity/ml.md.
UNSET: Body = {
    "friendlyName": None,
    "description": None,
    "applicationInsights": None,
    "containerRegistry": None,
    "imageBuildCompute": None,
    "softDeleteEnabled": True,
    "linkedModelInventoryArmId": None,
    "ipAllowlist": [],
    "serverlessComputeSettings": {"serverlessComputeCustomSubnet": None, "serverlessComputeNoPublicIP": False},
    "enableServiceSideCMKEncryption": False,
}
AUTH_MODES = ("AccessKey", "Identity", "UserDelegationSAS")  # taken in any letter case, shown in this one
VERSIONED = 5  # slashes in the address of a key's version
FIXED = {"keyVault": "Key Vault", "hbiWorkspace": "HBI workspace flag"}
# What a user-assigned identity must be able to do, since nobody gives it roles: an action (or data action) that the
# documented role has, and the role to name. Source: how-to-identity-based-service-authentication.
IDENTITY_NEEDS = (
    ("storageAccount", "Microsoft.Storage/storageAccounts/write", False, "Contributor"),
    (
        "storageAccount",
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
        True,
        "Storage Blob Data Contributor",
    ),
    ("keyVault", "Microsoft.KeyVault/vaults/write", False, "Contributor"),
    ("keyVault", "Microsoft.KeyVault/vaults/secrets/setSecret/action", True, "Key Vault Administrator"),
    ("containerRegistry", "Microsoft.ContainerRegistry/registries/write", False, "Contributor"),
    ("applicationInsights", "Microsoft.Insights/components/write", False, "Contributor"),
)


class Workspace(ResourceType):
    """`Microsoft.MachineLearningServices/workspaces`."""

    type: ClassVar[str] = WORKSPACES
    system_data: ClassVar[bool] = True
    fields: ClassVar[Mapping[str, Rule]] = {
        "kind": str,
        "properties": dict,
        "identity.userAssignedIdentities": dict,
        "properties.primaryUserAssignedIdentity": str,
        "properties.systemDatastoresAuthMode": frozenset(AUTH_MODES),
        "properties.publicNetworkAccess": frozenset({"Enabled", "Disabled"}),
        **{f"properties.{key}": str for key in DEPENDENCIES},
    }
    name_pattern: ClassVar[re.Pattern[str]] = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}")
    name_error: ClassVar[tuple[str, str]] = (
        "ValidationError",
        "Workspace name '{name}' is invalid. It must be 3 to 33 characters long, start with a letter or digit and "
        "contain only letters, digits, '-' and '_'.",
    )

    @property
    def actions(self) -> dict[str, Action]:
        """POST actions."""
        return {
            "listkeys": _list_keys,
            "liststorageaccountkeys": lambda call, resource: {"userStorageKey": _storage_key(call, resource)},
            "provisionmanagednetwork": _provision,
            **workspace_actions.ACTIONS,
        }

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses missing dependencies, a soft-deleted name, and changes of what is fixed."""
        sent = call.body.get("properties") or {}
        if call.body.get("kind", "Default") != "Default":
            raise AzureError(
                400,
                "ValidationError",
                f"Workspace kind '{call.body['kind']}' is not emulated by the sandbox: only 'Default' is.",
                target="kind",
            )
        check_identity(call, self)
        check_mode(sent, old)
        _check_encryption(call, sent, old)
        if old is None:
            self._soft_deleted(call)
            for key in REQUIRED:
                if not sent.get(key):
                    raise _missing(f"properties.{key}")
        else:
            self._fixed(sent, old["properties"])
            _keeps_identity(call.body.get("identity") or {}, old.get("identity") or {})
        for key, kind in DEPENDENCIES.items():
            if sent.get(key):
                self._dependency(call, key, kind, sent[key])

    @staticmethod
    def _soft_deleted(call: Call) -> None:
        if find_soft_deleted(call.cloud.store, call.id.key) is not None:
            raise AzureError(
                400,
                "BadRequest",
                "Soft-deleted workspace exists. Please purge or recover it. https://aka.ms/wsoftdelete",
            )

    @staticmethod
    def _fixed(sent: Body, old: Body) -> None:
        if "storageAccount" in sent and not _same(sent["storageAccount"], old["storageAccount"]):
            raise AzureError(400, "BadRequest", "Storage Account update is not supported yet")
        for key, words in FIXED.items():
            if key in sent and not _same(sent[key], old.get(key)):
                raise AzureError(400, "BadRequest", f"{words} update is not supported", target=f"properties.{key}")

    @staticmethod
    def _dependency(call: Call, key: str, kind: str, resource_id: str) -> None:
        """It must be of the right type, exist, and be readable for the caller."""
        if call.resource(resource_id) is None or parse_id(resource_id).type.lower() != kind.lower():
            raise _missing(f"properties.{key}", f"'{resource_id}' is no existing resource of type {kind}.")
        if not call.cloud.access.allows(call.caller.object_id, f"{kind}/read", resource_id):
            raise linked_authorization_failed(call, f"{WORKSPACES}/write", f"{kind}/read", resource_id)

    def prepare(self, call: Call, old: Body | None) -> Body:
        """The body with the service's own properties; an update keeps what it does not name."""
        body = copy.deepcopy(call.body)
        before = old["properties"] if old else {}
        kept = {key: value for key, value in before.items() if key not in body.get("properties", {})}
        region = body["location"]
        body["properties"] = {
            "hbiWorkspace": False,
            "publicNetworkAccess": "Enabled",
            "v1LegacyMode": False,
            "systemDatastoresAuthMode": "AccessKey",
            "enableDataIsolation": False,
            **(body.get("properties") or {}),
            **kept,
            "workspaceId": before.get("workspaceId") or str(uuid.uuid4()),
            "tenantId": call.cloud.seed["tenantId"],
            "discoveryUrl": f"https://{region}.api.azureml.ms/discovery",
            "storageHnsEnabled": False,
            "provisioningState": "Succeeded",
        }
        chosen = body["properties"]["systemDatastoresAuthMode"] or AUTH_MODES[0]
        body["properties"]["systemDatastoresAuthMode"] = next(one for one in AUTH_MODES if _same(one, chosen))
        body.setdefault("kind", "Default")
        body.setdefault("sku", {"name": "Basic", "tier": "Basic"})
        call.body.setdefault("identity", {"type": "SystemAssigned"})
        body |= shown_identity(call, old)
        if self._late_failure(call, body) is not None:
            body["properties"]["provisioningState"] = "Failed"
        return body

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """A new workspace has its containers and datastores, and its system identity the roles it needs."""
        principal = resource["identity"].get("principalId")
        if principal and principal != ((old or {}).get("identity") or {}).get("principalId"):
            grant(call, principal, call.id.group, AI_ADMINISTRATOR)
            grant(call, principal, resource["properties"]["storageAccount"], BLOB_DATA_CONTRIBUTOR)
            grant(call, principal, resource["properties"]["storageAccount"], FILE_DATA_PRIVILEGED_CONTRIBUTOR)
            grant(call, principal, resource["properties"]["keyVault"], KEY_VAULT_ADMINISTRATOR)
        made = old is not None and old["properties"]["provisioningState"] == "Succeeded"
        if not made and resource["properties"]["provisioningState"] == "Succeeded":
            make_defaults(call, resource)

    def present(self, call: Call, resource: Body) -> Body:
        """Adds what is computed, and null for what is unset."""
        address = f"azureml://{resource['location']}.api.azureml.ms/mlflow/v1.0{resource['id']}"
        connections = connections_of(call.cloud, resource["id"])
        properties, system = resource["properties"], zulu(resource["systemData"])
        shown = {
            "mlFlowTrackingUri": address,
            "managedNetwork": present_network(call.cloud, resource),
            "privateEndpointConnections": connections,
            "privateLinkCount": len(connections),
            "provisioningState": provisioning_state(call.cloud, resource, properties["provisioningState"]),
            "notebookInfo": _notebooks(resource),
            "creationTime": system["createdAt"],
        }
        return {**resource, "etag": None, "systemData": system, "properties": {**UNSET, **properties, **shown}}

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Answers that a new workspace is accepted (202). What Azure checks late fails the operation."""
        failure = self._late_failure(call, resource)
        if failure is None and not created and call.method == "PUT":
            return JSONResponse(self.present(call, resource))
        state = "" if failure else ("Creating" if created else "Updating")
        shown = self.present(call, resource) if call.method == "PUT" else None
        return accepted(call, WORKSPACE, resource, shown, status=202, state=state, failure=failure)

    @staticmethod
    def _late_failure(call: Call, resource: Body) -> AzureError | None:
        """What the service finds only after it has accepted the request."""
        properties = resource["properties"]
        storage = call.resource(properties["storageAccount"]) or {}
        if storage.get("properties", {}).get("isHnsEnabled"):
            return AzureError(400, "BadRequest", "Cannot use storage with HNS enabled.")
        sku = (storage.get("sku") or {}).get("name", "")
        if storage.get("kind") == "BlobStorage" or sku.startswith("Premium_"):
            return AzureError(
                400, "BadRequest", f"Cannot use storage of kind '{storage.get('kind')}' with sku '{sku}'."
            )
        primary = properties.get("primaryUserAssignedIdentity") or next(iter(user_identities(resource)), "")
        if resource["identity"]["type"] == "UserAssigned" and primary:
            return _identity_failure(call, properties, primary)
        return None

    def deleted(self, call: Call, resource: Body) -> None:
        """Remembers the deleted workspace, unless it is purged with it; identity, assets and runs go."""
        forget_identity(call, resource)
        assets.forget(call.cloud, resource["id"])
        runs.forget(call.cloud, resource["id"])
        forget_schedules(call.cloud, resource["id"])
        if _purging(call):
            return
        gone = clock.now()
        call.cloud.store.put(
            SOFT_DELETED,
            resource["id"].lower(),
            {**resource, "softDeletedAt": gone.isoformat(), "scheduledPurgeDate": (gone + RETENTION).isoformat()},
        )

    def delete_response(self, call: Call, resource: Body | None) -> Response:
        """A deletion is accepted; where asked to, a soft-deleted workspace is purged."""
        if resource is None and _purging(call):
            resource = find_soft_deleted(call.cloud.store, call.id.key)
            call.cloud.store.delete(SOFT_DELETED, call.id.key)
        if resource is None:
            return super().delete_response(call, None)
        return accepted(call, WORKSPACE, resource, None, status=202)


def find_soft_deleted(store: Store, key: str) -> Body | None:
    """The soft-deleted workspace of an id in lower case; one whose retention has ended is purged first."""
    found = store.get(SOFT_DELETED, key)
    if found is not None and found["scheduledPurgeDate"] <= clock.now().isoformat():
        store.delete(SOFT_DELETED, key)
        return None
    return found


def _notebooks(workspace: Body) -> Body:
    """Where the notebooks of a workspace are, which the sandbox does not emulate."""
    unique, region = workspace["properties"]["workspaceId"], workspace["location"]
    short = re.sub(r"[^a-z0-9]", "", workspace["name"].lower())[:12]
    return {
        "resourceId": unique.replace("-", ""),
        "fqdn": f"ml-{short}-{region}-{unique}.{region}.notebooks.azure.net",
        "isPrivateLinkEnabled": False,
        "notebookPreparationError": None,
    }


def _check_encryption(call: Call, sent: Body, old: Body | None) -> None:
    """A key of the customer's is given at creation or never; later another one of the same vault takes its place.

    Source: learn.microsoft.com/azure/machine-learning, concept- and how-to-setup-customer-managed-keys.
    """
    encryption = sent.get("encryption")
    before = (old["properties"].get("encryption") if old else None) or {}
    if not encryption or encryption.get("status") != "Enabled":
        if before and encryption:
            raise AzureError(400, "BadRequest", "Encryption with a customer-managed key cannot be turned off.")
        return
    key, known = encryption.get("keyVaultProperties") or {}, before.get("keyVaultProperties") or {}
    vault = str(key.get("keyVaultArmId"))
    if old is not None and not _same(vault, known.get("keyVaultArmId")):
        text = "Encryption with a customer-managed key can only be updated to another key in the original Key Vault."
        raise AzureError(400, "BadRequest", text, target="properties.encryption.keyVaultProperties.keyVaultArmId")
    if vault.split("/")[2:3] != [call.subscription]:
        raise AzureError(400, "BadRequest", f"The Key Vault '{vault}' must be in the workspace's subscription.")
    uri = str(key.get("keyIdentifier"))
    if uri.count("/") != VERSIONED:
        raise AzureError(400, "BadRequest", f"The key identifier '{uri}' must have a version.")
    user = (encryption.get("identity") or {}).get("userAssignedIdentity")
    check_key(call, uri, str(user), code="BadRequest")
    cosmos = next((one for one in call.cloud.store.list("servicePrincipal") if one["appId"] == COSMOS_DB), {"id": ""})
    key_id = f"{vault}/keys/{uri.split('/')[4]}"
    service_side = sent.get("enableServiceSideCMKEncryption")
    if not service_side and not call.cloud.access.allows(cosmos["id"], WRAP, key_id, data=True):
        text = "Azure Cosmos DB may not wrap with the key: assign its service principal Key Vault Crypto Service "
        raise AzureError(400, "BadRequest", f"{text}Encryption User, or encrypt on the service's side.")


def _keeps_identity(sent: Body, old: Body) -> None:
    """A system-assigned identity may get user-assigned ones beside it; there is no other way, and none back."""
    after, before = ({word.strip() for word in str(one.get("type", "")).split(",")} for one in (sent, old))
    if sent and "SystemAssigned" in after ^ before:
        raise AzureError(
            400,
            "BadRequest",
            f"The identity of a workspace cannot be changed from '{old.get('type')}' to '{sent['type']}'.",
            target="identity.type",
        )


def _storage_key(call: Call, workspace: Body) -> str | None:
    name = workspace["properties"]["storageAccount"].rsplit("/", 1)[-1]
    account = accounts.find(call.cloud, name)
    if account is None or account.properties.get("allowSharedKeyAccess") is False:
        return None
    return accounts.keys(call.cloud, name)[0]


def _list_keys(call: Call, workspace: Body) -> Body:
    """The storage account's key where that has any, and the instrumentation key; no registry's password."""
    insights = call.resource(str(workspace["properties"].get("applicationInsights"))) or {"properties": {}}
    keys = {
        "userStorageKey": _storage_key(call, workspace),
        "userStorageArmId": workspace["properties"]["storageAccount"],
        "appInsightsInstrumentationKey": insights["properties"].get("InstrumentationKey"),
        "containerRegistryCredentials": None,
        "notebookAccessKeys": None,
    }
    return workspace_actions.keys_for_version(call, keys)


def _provision(call: Call, workspace: Body) -> Response:
    if mode_of(workspace) == OFF:
        raise AzureError(400, "BadRequest", "The workspace has no managed network: its isolation mode is Disabled.")
    provision(call.cloud, workspace)
    return accepted(call, WORKSPACE, workspace, None, status=202)


def _purging(call: Call) -> bool:
    return call.query.get("forceToPurge", "").lower() == "true"


def _same(one: Any, other: Any) -> bool:
    return str(one).lower() == str(other).lower()


def _missing(target: str, text: str = "") -> AzureError:
    words = "Missing dependent resources in workspace json"
    return AzureError(400, "ValidationError", f"{words}. {text}".rstrip() if text else words, target=target)


def _identity_failure(call: Call, properties: Body, identity_id: str) -> AzureError | None:
    principal = (call.resource(identity_id) or {"properties": {"principalId": ""}})["properties"]["principalId"]
    for key, action, is_data, role in IDENTITY_NEEDS:
        scope = properties.get(key)
        if scope and not call.cloud.access.allows(principal, action, scope, data=is_data):
            return AzureError(
                400,
                "BadRequest",
                f"The workspace's identity '{identity_id}' (object id '{principal}') does not have the permission "
                f"'{action}' on '{scope}': assign it the role {role} there before the workspace is created.",
            )
    return None
