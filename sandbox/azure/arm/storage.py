"""Microsoft.Storage: accounts and their blob services. Blobs are the data plane's (`sandbox.azure.storage`)."""

import copy
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.arm import storageoffers
from sandbox.azure.arm.core import Body, Call, ResourceId, ResourceType, Rule, invalid, properties_of
from sandbox.azure.arm.identities import check_identity, forget_identity, shown_identity
from sandbox.azure.arm.operations import accepted
from sandbox.azure.arm.privatelinks import connections_of
from sandbox.azure.arm.resources import Resources, Route, route
from sandbox.azure.arm.vaultkeys import check_key
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.storage import accounts, containers
from sandbox.azure.storage.errors import StorageError

ACCOUNT_NAME = re.compile(r"[a-z0-9]{3,24}")
ACCOUNTS = "Microsoft.Storage/storageAccounts"
NAME_TEXT = (
    "{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length "
    "and "
    "use numbers and lower-case letters only."
)
SKUS = frozenset(
    {
        "Standard_LRS",
        "Standard_GRS",
        "Standard_RAGRS",
        "Standard_ZRS",
        "Premium_LRS",
        "Premium_ZRS",
        "Standard_GZRS",
        "Standard_RAGZRS",
    }
)
SWITCH = frozenset({"Enabled", "Disabled"})
PUBLIC_ACCESS = {"none": "None", "blob": "Blob", "container": "Container"}
DEFAULTS: Body = {
    "accessTier": "Hot",
    "allowBlobPublicAccess": False,
    "allowSharedKeyAccess": None,
    "minimumTlsVersion": "TLS1_2",
    "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []},
    "publicNetworkAccess": "Enabled",
    "supportsHttpsTrafficOnly": True,
}
FIXED = ("isHnsEnabled", "isNfsV3Enabled")  # storage.json: create-only


class StorageAccount(ResourceType):
    """`Microsoft.Storage/storageAccounts`; names are global."""

    type = ACCOUNTS
    name_pattern = ACCOUNT_NAME
    name_error = ("AccountNameInvalid", NAME_TEXT)
    invalid_value = "InvalidValuesForRequestParameters"
    required = ("sku.name", "kind")
    fields: ClassVar[Mapping[str, Rule]] = {
        "sku.name": SKUS,
        "kind": frozenset({"Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage"}),
        "properties.accessTier": frozenset({"Hot", "Cool", "Cold", "Premium"}),
        "properties.minimumTlsVersion": frozenset({"TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"}),
        "properties.publicNetworkAccess": frozenset({"Enabled", "Disabled", "SecuredByPerimeter"}),
        "properties.networkAcls.defaultAction": frozenset({"Allow", "Deny"}),
        "properties.largeFileSharesState": SWITCH,
        "properties.isHnsEnabled": bool,
        "properties.allowBlobPublicAccess": bool,
        "properties.allowSharedKeyAccess": bool,
        "properties.allowCrossTenantReplication": bool,
        "properties.defaultToOAuthAuthentication": bool,
        "properties.supportsHttpsTrafficOnly": bool,
    }
    update_status = 200

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses a name taken elsewhere, what cannot change, and what does not go together."""
        check_identity(call, self)
        if old is None:
            _check_free(call)
        sku, kind, body = call.body["sku"]["name"], call.body["kind"], properties_of(call.body)
        if sku.startswith("Premium") and kind in ("StorageV2", "BlobStorage") and body.get("isHnsEnabled"):
            raise AzureError(
                400,
                "InvalidRequestPropertyValue",
                f"The value 'True' is not allowed for property isHnsEnabled with kind {kind} and sku {sku}.",
                target="properties.isHnsEnabled",
            )
        _check_encryption(call, body.get("encryption") or {})
        for name in FIXED if old else ():
            before = bool(properties_of(old or {}).get(name))
            if name in body and bool(body[name]) != before:
                raise AzureError(
                    400,
                    "InvalidRequestPropertyValue",
                    f"The property '{name}' was set at creation and cannot be changed.",
                    target=f"properties.{name}",
                )

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds defaults, endpoints, encryption and state."""
        body, sent = copy.deepcopy(call.body), properties_of(call.body)
        name, before = call.id.name, properties_of(old or {})
        fixed = {name: before[name] for name in FIXED if name in before}
        rules = {**DEFAULTS["networkAcls"], **(sent.get("networkAcls") or {})}
        properties = {
            **{name: value for name, value in DEFAULTS.items() if value is not None},
            **{name: value for name, value in sent.items() if value is not None},
            **fixed,
            "networkAcls": rules,
            "encryption": sent.get("encryption") or _encryption(),
            "creationTime": before.get("creationTime") or _now(),
            "primaryLocation": body["location"],
            "statusOfPrimary": "available",
            "provisioningState": "Succeeded",
        }
        if not properties.get("isHnsEnabled") and properties.get("isHnsEnabled") is not None:
            del properties["isHnsEnabled"]
        properties["primaryEndpoints"] = {
            service: f"https://{name}.{service}.core.windows.net/"
            for service in ("dfs", "web", "blob", "queue", "table", "file")
        }
        tier = body["sku"]["name"].split("_")[0]
        return {
            "location": body["location"],
            "tags": body.get("tags") or {},
            "kind": body["kind"],
            "sku": {"name": body["sku"]["name"], "tier": tier},
            "properties": properties,
            **shown_identity(call, old),
        }

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """Registers the account for the data plane."""
        if old is None:
            accounts.register(call.cloud, resource["name"], resource["id"])

    def present(self, call: Call, resource: Body) -> Body:
        """Adds the private endpoint connections."""
        connections = connections_of(call.cloud, resource["id"])
        return {**resource, "properties": {**resource["properties"], "privateEndpointConnections": connections}}

    def deleted(self, call: Call, resource: Body) -> None:
        """Removes the account's data."""
        containers.delete_account(call.cloud, resource["name"])
        forget_identity(call, resource)

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Answers 202 for a new account: this service has no 201."""
        return accepted(call, resource) if created else JSONResponse(self.present(call, resource))

    @property
    def actions(self) -> dict[str, Any]:
        """The actions on keys, and the signatures made with them."""
        return {
            "listkeys": _list_keys,
            "regeneratekey": _regenerate_key,
            "listaccountsas": storageoffers.account_sas,
            "listservicesas": storageoffers.service_sas,
        }


def _check_encryption(call: Call, encryption: Body) -> None:
    """A key of the customer's needs a vault that keeps it, and an identity of the account that may wrap with it."""
    if str(encryption.get("keySource", "")).lower() != "microsoft.keyvault":
        return
    key, identity = encryption.get("keyvaultproperties") or {}, encryption.get("identity") or {}
    user = str(identity.get("userAssignedIdentity"))
    assigned = (call.body.get("identity") or {}).get("userAssignedIdentities") or {}
    if user.lower() not in {identity.lower() for identity in assigned}:
        raise AzureError(
            400,
            "InvalidRequestPropertyValue",
            f"The identity '{user}' that encrypts is not one of the account's own.",
            target="properties.encryption.identity.userAssignedIdentity",
        )
    check_key(call, f"{str(key.get('keyvaulturi')).rstrip('/')}/keys/{key.get('keyname')}", user)


def _check_free(call: Call) -> None:
    """Refuses a name that another account has: names are global.

    Source: learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-storage-account-name.
    """
    taken = call.cloud.store.get("account", call.id.name)
    if taken is None:
        return
    if taken["id"].split("/")[2].lower() == call.subscription:
        raise AzureError(
            409,
            "StorageAccountInAnotherResourceGroup",
            f"The account {call.id.name} is already in another resource group in this subscription.",
        )
    raise AzureError(409, "StorageAccountAlreadyTaken", f"The storage account named {call.id.name} is already taken.")


def _encryption() -> Body:
    service = {"keyType": "Account", "enabled": True, "lastEnabledTime": _now()}
    return {"services": {"blob": service, "file": service}, "keySource": "Microsoft.Storage"}


def _now() -> str:
    return clock.now().isoformat()


def _list_keys(call: Call, resource: Body) -> Body:
    keys = accounts.keys(call.cloud, resource["name"])
    made = properties_of(resource)["creationTime"]
    shown = enumerate(keys, 1)
    return {
        "keys": [
            {"keyName": f"key{number}", "value": key, "permissions": "FULL", "creationTime": made}
            for number, key in shown
        ]
    }


def _regenerate_key(call: Call, resource: Body) -> Body:
    names = {"key1": 1, "key2": 2}
    number = names.get(str(call.body.get("keyName")))
    if number is None:
        raise invalid("keyName", f"The key '{call.body.get('keyName')}' is not valid: it must be key1 or key2.")
    accounts.regenerate_key(call.cloud, resource["name"], number)
    return _list_keys(call, resource)


class BlobService(ResourceType):
    """`…/blobServices/default`: there from the account's beginning, and never really deleted."""

    type = f"{ACCOUNTS}/blobServices"
    tracked = False
    name_pattern = re.compile("default")
    create_status = 200
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.isVersioningEnabled": bool,
        "properties.deleteRetentionPolicy.enabled": bool,
        "properties.deleteRetentionPolicy.days": int,
        "properties.containerDeleteRetentionPolicy.enabled": bool,
        "properties.containerDeleteRetentionPolicy.days": int,
        "properties.changeFeed.enabled": bool,
    }

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """The stored properties, or the defaults where nothing was set."""
        account = cloud.store.get("resource", resource_id.parent.lower())
        if account is None or resource_id.name.lower() != "default":
            return None
        stored = super().find(cloud, resource_id)
        return stored or {
            "id": self.canonical_id(account["id"], "default"),
            "name": "default",
            "type": self.type,
            "properties": _service_properties({}),
        }

    def below(self, cloud: Cloud, prefix: str) -> list[Body]:
        """The blob service of an account: each account has exactly one, `default`."""
        account = prefix.rpartition("/blobservices/")[0]
        properties = self.find(cloud, ResourceId(f"{account}/blobServices/default", self.type, "default", account))
        return [properties] if properties else []

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds defaults for the properties that were not sent."""
        return {"properties": _service_properties(properties_of(call.body))}

    def present(self, call: Call, resource: Body) -> Body:
        """Adds the account's sku."""
        account = call.resource(resource["id"].rsplit("/", 2)[0]) or {}
        return {"sku": account.get("sku"), **resource}


def _service_properties(sent: Body) -> Body:
    return {
        "cors": {"corsRules": []},
        "deleteRetentionPolicy": {"allowPermanentDelete": False, "enabled": False},
        **{name: value for name, value in sent.items() if value is not None},
    }


class BlobContainer(ResourceType):
    """`…/blobServices/default/containers`, the same containers that the data plane has."""

    type = f"{ACCOUNTS}/blobServices/containers"
    absent = ("ContainerNotFound", "The specified container does not exist.")
    tracked = False
    # learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
    name_pattern = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]|\$root|\$web|\$logs")
    name_error = ("ContainerNameInvalid", "The specified container name '{name}' is invalid.")
    invalid_value = "InvalidValuesForRequestParameters"
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.publicAccess": frozenset(PUBLIC_ACCESS.values()),
        "properties.metadata": dict,
    }

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """The container as the data plane stores it."""
        account = _account(cloud, resource_id.parent.rsplit("/", 2)[0])
        document = containers.get(cloud, account["name"], resource_id.name) if account else None
        return None if account is None or document is None else self._shown(account, resource_id.name, document)

    def below(self, cloud: Cloud, prefix: str) -> list[Body]:
        """The account's containers."""
        account = _account(cloud, prefix.partition("/blobservices/")[0])
        if account is None:
            return []
        return [self._shown(account, name, document) for name, document in containers.listing(cloud, account["name"])]

    def _shown(self, account: Body, name: str, document: Body) -> Body:
        modified = datetime.fromtimestamp(document["modified"], UTC).isoformat()
        properties = {
            "publicAccess": document["publicAccess"],
            "metadata": document["metadata"],
            "defaultEncryptionScope": "$account-encryption-key",
            "denyEncryptionScopeOverride": False,
            "deleted": False,
            "leaseStatus": "Unlocked",
            "leaseState": "Available",
            "lastModifiedTime": modified,
            "hasImmutabilityPolicy": False,
            "hasLegalHold": False,
        }
        service = f"{account['id']}/blobServices/default"
        etag = document["etag"]
        return {
            "id": f"{service}/containers/{name}",
            "name": name,
            "type": self.type,
            "etag": etag if etag.startswith('"') else f'"{etag}"',
            "properties": properties,
        }

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses public access where the account forbids it."""
        public = properties_of(call.body).get("publicAccess") or "None"
        account = _account(call.cloud, call.id.parent.rsplit("/", 2)[0]) or {}
        if public.lower() != "none" and not properties_of(account).get("allowBlobPublicAccess"):
            raise AzureError(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")

    def save(self, cloud: Cloud, resource: Body) -> None:
        """Makes the container, or changes its metadata and public access."""
        account, name = resource["id"].split("/")[8], resource["name"]
        body = properties_of(resource)
        metadata = body.get("metadata") or {}
        public = PUBLIC_ACCESS[(body.get("publicAccess") or "None").lower()]
        try:
            if containers.get(cloud, account, name) is None:
                containers.create(cloud, account, name, metadata=metadata, public_access=public)
            else:
                containers.update(cloud, account, name, metadata=metadata, publicAccess=public)
        except StorageError as error:
            raise AzureError(error.status, error.code, error.message) from error

    def erase(self, cloud: Cloud, resource: Body) -> None:
        """Removes the container with its blobs."""
        containers.delete(cloud, resource["id"].split("/")[8], resource["name"])

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Answers with the resource as a GET shows it."""
        return JSONResponse(self.find(call.cloud, call.id), 201 if created else 200)


def _account(cloud: Cloud, account_id: str) -> Body | None:
    return cloud.store.get("resource", account_id.lower())


class ManagementPolicy(ResourceType):
    """`…/managementPolicies/default`: lifecycle rules. They are kept; nothing ages in the sandbox."""

    type = f"{ACCOUNTS}/managementPolicies"
    absent = ("ManagementPolicyNotFound", "No ManagementPolicy found for the account.")
    tracked = False
    create_status = 200
    name_pattern = re.compile("default")
    name_error = ("InvalidResourceName", "The management policy name '{name}' is not valid: it must be 'default'.")
    required = ("properties.policy.rules",)
    fields: ClassVar[Mapping[str, Rule]] = {"properties.policy.rules": list}

    def validate(self, call: Call, old: Body | None) -> None:
        """Each rule has a unique name, the type Lifecycle and a definition with actions."""
        names = set()
        for number, rule in enumerate(call.body["properties"]["policy"]["rules"]):
            path = f"properties.policy.rules[{number}]"
            if not isinstance(rule, dict) or not {"name", "type", "definition"} <= rule.keys():
                raise invalid(path, f"'{path}' must have name, type and definition.")
            if rule["type"] != "Lifecycle":
                raise invalid(f"{path}.type", f"The rule type '{rule['type']}' is not valid: it must be Lifecycle.")
            if not (rule["definition"] or {}).get("actions"):
                raise invalid(f"{path}.definition.actions", f"The rule '{rule['name']}' has no action.")
            if rule["name"] in names:
                raise invalid(f"{path}.name", f"The rule name '{rule['name']}' is used twice.")
            names.add(rule["name"])

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Keeps the rules; adds the time of the change."""
        return {"properties": {**copy.deepcopy(call.body["properties"]), "lastModifiedTime": _now()}}


def _check_name(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    call.authorize("Microsoft.Storage/checknameavailability/read", f"/subscriptions/{call.subscription}")
    name = call.body.get("name")
    if not isinstance(name, str) or call.body.get("type") != ACCOUNTS:
        raise invalid("name", f"'name' must be a string and 'type' {ACCOUNTS}.")
    if not ACCOUNT_NAME.fullmatch(name):
        return {"nameAvailable": False, "reason": "AccountNameInvalid", "message": NAME_TEXT.format(name=name)}
    if call.cloud.store.get("account", name) is not None:
        text = f"The storage account named {name} is already taken."
        return {"nameAvailable": False, "reason": "AlreadyExists", "message": text}
    return {"nameAvailable": True}


def resource_types(cloud: Cloud) -> list[ResourceType]:
    """The resource types of this module."""
    return [StorageAccount(), BlobService(), BlobContainer(), ManagementPolicy()]


def routes() -> list[Route]:
    """The routes beside the resource types."""
    path = "/subscriptions/{subscription}/providers/Microsoft.Storage/checkNameAvailability"
    return [route("POST", path, _check_name), *storageoffers.routes(SKUS)]
