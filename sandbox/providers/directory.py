# ruff: noqa: D102 (an override means what its base says)
"""The azuread types: what each sends to Graph and shows of it.

Sources: hashicorp/terraform-provider-azuread 3, which pulumi-azuread bridges (`internal/services/*_resource.go`), and
Microsoft Graph's reference.
"""

import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sandbox.providers.graph import Graph, reference
from sandbox.providers.http import Failure
from sandbox.providers.values import Properties, secret

_MINUTE: Final = 60.0
_NICKNAME_BYTES: Final = 5
_IMPORT: Final = "To be managed via Terraform, this resource needs to be imported into the State."


@dataclass(frozen=True)
class Kind:
    """A type of resource.

    Attributes:
        name: Terraform's name, for its messages.
        required: Inputs that must be given.
        replaces: Inputs whose change replaces.
        fields: Inputs that are Graph properties, by SDK name.
        shown: Further outputs that are Graph properties, by SDK name.
        settings: Inputs that steer the provider and are no property.
        references: Inputs that are lists of object ids, kept in a collection of that name.
        defaults: Inputs that Check fills in, as the schema of Terraform's provider has them.
        kept: Inputs that stay as they are when they are taken out of the program (optional and computed).
        ordered: Inputs that are lists; the others with several values are sets.
        computed: Outputs that are unknown until the resource is made, besides `shown`.
        seconds: How long to wait for a new one to be visible.
    """

    name: str
    required: tuple[str, ...] = ()
    replaces: frozenset[str] = frozenset()
    fields: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    settings: frozenset[str] = frozenset()
    references: frozenset[str] = frozenset()
    defaults: Properties = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    ordered: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    seconds: float = 10 * _MINUTE

    @property
    def inputs(self) -> frozenset[str]:
        """Every input that is understood."""
        return frozenset(self.fields) | self.settings | self.references

    def unknown_outputs(self) -> frozenset[str]:
        """Outputs that a preview cannot know."""
        return frozenset(self.shown) | self.computed

    def problems(self, graph: Graph, inputs: Properties, old: Properties) -> list[str]:
        """The problems of inputs in which no value is unknown."""
        return []

    def create(self, graph: Graph, inputs: Properties) -> tuple[str, Properties]:
        """Makes the object; returns its id and outputs."""
        raise NotImplementedError

    def read(self, graph: Graph, identifier: str, state: Properties) -> Properties | None:
        """Its outputs; None where it is gone."""
        raise NotImplementedError

    def update(self, graph: Graph, identifier: str, inputs: Properties, old: Properties) -> None:
        """Changes the object."""
        raise NotImplementedError

    def delete(self, graph: Graph, identifier: str) -> None:
        """Deletes the object."""
        raise NotImplementedError

    def exists(self, identifier: str) -> Failure:
        """The refusal of something that is there already."""
        return Failure(
            f'A resource with the ID "{identifier}" already exists: {_IMPORT} Please see the resource documentation '
            f'for "{self.name}" for more information.'
        )


@dataclass(frozen=True)
class DirectoryObject(Kind):
    """An object of a Graph collection of its own.

    Attributes:
        collection: Its collection, such as `groups`; the id is `/groups/{object id}`.
        caller_stays: Whether the caller stays its owner where the program names none.
    """

    collection: str = ""
    caller_stays: bool = False

    def problems(self, graph: Graph, inputs: Properties, old: Properties) -> list[str]:
        """A name that must be the only one of its kind is looked up before anything is made."""
        name = inputs.get("displayName")
        if inputs.get("preventDuplicateNames") is not True or name == old.get("displayName"):
            return []
        return [
            f'An existing "{self.name}" with name "{name}" (ID: "{other["id"]}") was found and '
            f"`prevent_duplicate_names` was specified. {_IMPORT} "
            f'Please see the resource documentation for "{self.name}" for more information.'
            for other in graph.all(f"/{self.collection}", displayName=name)
        ]

    def body(self, inputs: Properties) -> Properties:
        """The Graph object that the inputs describe."""
        return {graph_name: inputs[name] for name, graph_name in self.fields.items() if name in inputs}

    def create(self, graph: Graph, inputs: Properties) -> tuple[str, Properties]:
        """Make the object with the caller as its first owner, who leaves again unless the program names it."""
        caller = graph.caller()
        named = inputs.get("owners") or ([caller] if self.caller_stays else [])
        members = {**inputs, "owners": [caller, *(owner for owner in named if owner != caller)]}
        bound = {
            f"{name}@odata.bind": [reference(member) for member in members[name]]
            for name in sorted(self.references)
            if members.get(name)
        }
        made = graph.post(f"/{self.collection}", {**self.body(inputs), **bound})
        if caller not in named:
            graph.delete(f"/{self.collection}/{made['id']}/owners/{caller}/$ref")
        return self.seen(graph, made["id"])

    def seen(self, graph: Graph, object_id: str) -> tuple[str, Properties]:
        """The id and the outputs of a new object, once it is visible."""
        identifier = f"/{self.collection}/{object_id}"
        answer = graph.wait_until(
            lambda: self.read(graph, identifier, {}), f"new {self.name} {object_id}", seconds=self.seconds
        )
        return identifier, answer

    def read(self, graph: Graph, identifier: str, state: Properties) -> Properties | None:
        answer = graph.find(identifier)
        if answer is None:
            return None
        values = {name: answer.get(graph_name) for name, graph_name in {**self.fields, **self.shown}.items()}
        values.update({name: graph.ids(f"{identifier}/{name}") for name in sorted(self.references)})
        values.update({name: state[name] for name in self.settings if name in state})
        return {name: value for name, value in values.items() if value not in (None, "", [])}

    def update(self, graph: Graph, identifier: str, inputs: Properties, old: Properties) -> None:
        removed = {self.fields[name]: None for name in self.fields if name in old and name not in inputs}
        body = {**removed, **self.body(inputs)}
        graph.patch(identifier, {name: value for name, value in body.items() if name not in self.fixed})
        for name in sorted(self.references):
            if name in inputs:
                self._set_references(graph, f"{identifier}/{name}", inputs[name])

    @property
    def fixed(self) -> frozenset[str]:
        """Graph properties that cannot be sent again."""
        return frozenset(self.fields[name] for name in self.replaces if name in self.fields)

    @staticmethod
    def _set_references(graph: Graph, path: str, wanted: list[str]) -> None:
        present = graph.ids(path)
        for member in wanted:
            if member not in present:
                graph.post(f"{path}/$ref", {"@odata.id": reference(member)})
        for member in present:
            if member not in wanted:
                graph.delete(f"{path}/{member}/$ref")

    def delete(self, graph: Graph, identifier: str) -> None:
        graph.delete(identifier)
        graph.wait_until(lambda: graph.find(identifier) is None, f"the deletion of {identifier}", seconds=self.seconds)


class ServicePrincipal(DirectoryObject):
    """A service principal: one for each application, so an existing one is refused or taken over."""

    def create(self, graph: Graph, inputs: Properties) -> tuple[str, Properties]:
        existing = graph.all(f"/{self.collection}", appId=inputs["clientId"])
        if not existing:
            return super().create(graph, inputs)
        if inputs.get("useExisting") is not True:
            raise self.exists(existing[0]["id"])
        self.update(graph, f"/{self.collection}/{existing[0]['id']}", inputs, {})
        return self.seen(graph, existing[0]["id"])


class Group(DirectoryObject):
    """A group."""

    def problems(self, graph: Graph, inputs: Properties, old: Properties) -> list[str]:
        unified = "Unified" in inputs.get("types", [])
        mail, security = inputs.get("mailEnabled") is True, inputs.get("securityEnabled") is True
        rules = {
            '"security_enabled": one of `mail_enabled,security_enabled` must be specified': not mail and not security,
            '`types` must contain "Unified" for mail-enabled groups': mail and not unified,
            "`mail_enabled` must be true for unified groups": unified and not mail,
            "`mail_nickname` is required for mail-enabled groups": mail and not inputs.get("mailNickname"),
            "`assignable_to_role` can only be `true` for security-enabled groups": (
                inputs.get("assignableToRole") is True and not security
            ),
            "`behaviors` is only supported for unified groups": bool(inputs.get("behaviors")) and not unified,
            "`provisioning_options` is only supported for unified groups": (
                bool(inputs.get("provisioningOptions")) and not unified
            ),
        }
        return [text for text, broken in rules.items() if broken] + super().problems(graph, inputs, old)

    def body(self, inputs: Properties) -> Properties:
        return {"mailEnabled": False, "securityEnabled": False, "groupTypes": [], **super().body(inputs)}

    def create(self, graph: Graph, inputs: Properties) -> tuple[str, Properties]:
        nickname = inputs.get("mailNickname") or secrets.token_hex(_NICKNAME_BYTES)
        return super().create(graph, {**inputs, "mailNickname": nickname})


@dataclass(frozen=True)
class GroupMember(Kind):
    """One member of a group."""

    def create(self, graph: Graph, inputs: Properties) -> tuple[str, Properties]:
        group, member = inputs["groupObjectId"], inputs["memberObjectId"]
        identifier = f"{group}/member/{member}"
        if member in graph.ids(f"/groups/{group}/members"):
            raise self.exists(identifier)
        graph.post(f"/groups/{group}/members/$ref", {"@odata.id": reference(member)})
        return identifier, graph.wait_until(
            lambda: self.read(graph, identifier, {}), f"member {member} of group {group}", seconds=self.seconds
        )

    def read(self, graph: Graph, identifier: str, state: Properties) -> Properties | None:
        group, _, member = identifier.split("/")
        if graph.find(f"/groups/{group}") is None or member not in graph.ids(f"/groups/{group}/members"):
            return None
        return {"groupObjectId": group, "memberObjectId": member}

    def delete(self, graph: Graph, identifier: str) -> None:
        group, _, member = identifier.split("/")
        graph.delete(f"/groups/{group}/members/{member}/$ref")


@dataclass(frozen=True)
class Password(Kind):
    """A client secret. Graph shows its value only in the answer that makes it.

    Attributes:
        owner: The input that says whose.
        collection: The owner's collection.
    """

    owner: str = ""
    collection: str = ""

    def create(self, graph: Graph, inputs: Properties) -> tuple[str, Properties]:
        object_id = inputs[self.owner].rsplit("/", 1)[-1]
        credential = {graph_name: inputs[name] for name, graph_name in self.fields.items() if name in inputs}
        if "endDateRelative" in inputs:
            start = datetime.fromisoformat(inputs.get("startDate") or datetime.now(UTC).isoformat())
            credential["endDateTime"] = (start + _duration(inputs["endDateRelative"])).isoformat()
        made = graph.post(f"/{self.collection}/{object_id}/addPassword", {"passwordCredential": credential})
        identifier = f"{object_id}/password/{made['keyId']}"
        state = {"value": secret(made["secretText"]), **{k: inputs[k] for k in self.settings if k in inputs}}
        answer = graph.wait_until(
            lambda: self.read(graph, identifier, state), f"password of {inputs[self.owner]}", seconds=self.seconds
        )
        return identifier, answer

    def read(self, graph: Graph, identifier: str, state: Properties) -> Properties | None:
        object_id, _, key = identifier.split("/")
        owner = graph.find(f"/{self.collection}/{object_id}") or {}
        credential = next((item for item in owner.get("passwordCredentials", []) if item["keyId"] == key), None)
        if credential is None:
            return None
        values = {name: credential.get(graph_name) for name, graph_name in self.fields.items()}
        stored = {name: state[name] for name in ("value", *self.settings) if name in state}
        return {
            **{name: value for name, value in values.items() if value},
            **stored,
            self.owner: f"/{self.collection}/{object_id}",
            "keyId": key,
        }

    def delete(self, graph: Graph, identifier: str) -> None:
        object_id, _, key = identifier.split("/")
        if self.read(graph, identifier, {}) is not None:
            graph.post(f"/{self.collection}/{object_id}/removePassword", {"keyId": key})


@dataclass(frozen=True)
class FederatedCredential(Kind):
    """Another issuer's token that an application accepts instead of a secret."""

    def create(self, graph: Graph, inputs: Properties) -> tuple[str, Properties]:
        application = inputs["applicationId"].rsplit("/", 1)[-1]
        body = {graph_name: inputs[name] for name, graph_name in self.fields.items() if name in inputs}
        made = graph.post(f"/applications/{application}/federatedIdentityCredentials", body)
        identifier = f"{application}/federatedIdentityCredential/{made['id']}"
        return identifier, graph.wait_until(
            lambda: self.read(graph, identifier, {}), f"credential of {application}", seconds=self.seconds
        )

    def read(self, graph: Graph, identifier: str, state: Properties) -> Properties | None:
        answer = graph.find(self._path(identifier))
        if answer is None:
            return None
        values = {name: answer.get(graph_name) for name, graph_name in self.fields.items()}
        application, _, credential = identifier.split("/")
        settings = {name: value for name, value in values.items() if value}
        return {**settings, "applicationId": f"/applications/{application}", "credentialId": credential}

    def update(self, graph: Graph, identifier: str, inputs: Properties, old: Properties) -> None:
        body = {graph_name: inputs.get(name) for name, graph_name in self.fields.items() if name != "displayName"}
        graph.patch(self._path(identifier), body)

    def delete(self, graph: Graph, identifier: str) -> None:
        graph.delete(self._path(identifier))

    @staticmethod
    def _path(identifier: str) -> str:
        application, _, credential = identifier.split("/")
        return f"/applications/{application}/federatedIdentityCredentials/{credential}"


def _duration(text: str) -> timedelta:
    """Go's durations, such as `2400h30m`."""
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
    if not text or parts is None:
        raise Failure(f"endDateRelative: '{text}' is no duration such as '240h' or '2400h30m'.")
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


_PASSWORD_FIELDS = {"displayName": "displayName", "startDate": "startDateTime", "endDate": "endDateTime"}
_PASSWORD_SETTINGS = frozenset({"endDateRelative", "rotateWhenChanged"})


def _password(name: str, owner: str, collection: str) -> Password:
    settings = _PASSWORD_SETTINGS | {owner}
    return Password(
        name,
        required=(owner,),
        replaces=frozenset(_PASSWORD_FIELDS) | settings,
        fields=_PASSWORD_FIELDS,
        settings=settings,
        kept=frozenset(_PASSWORD_FIELDS),
        computed=frozenset({"keyId", "value"}),
        seconds=5 * _MINUTE,
        owner=owner,
        collection=collection,
    )


def _named(*names: str) -> dict[str, str]:
    return {name: name for name in names}


KINDS: Final[dict[str, Kind]] = {
    "azuread:index/application:Application": DirectoryObject(
        "azuread_application",
        required=("displayName",),
        replaces=frozenset({"templateId"}),
        fields={
            **_named("displayName", "description", "identifierUris", "notes", "serviceManagementReference"),
            **_named("signInAudience", "tags"),
            "templateId": "applicationTemplateId",
        },
        shown={"clientId": "appId", "objectId": "id", "publisherDomain": "publisherDomain"},
        settings=frozenset({"preventDuplicateNames"}),
        references=frozenset({"owners"}),
        defaults={"signInAudience": "AzureADMyOrg"},
        collection="applications",
    ),
    "azuread:index/servicePrincipal:ServicePrincipal": ServicePrincipal(
        "azuread_service_principal",
        required=("clientId",),
        replaces=frozenset({"clientId"}),
        fields={
            "clientId": "appId",
            **_named("accountEnabled", "alternativeNames", "appRoleAssignmentRequired", "description", "loginUrl"),
            **_named("notes", "notificationEmailAddresses", "preferredSingleSignOnMode", "tags"),
        },
        shown={
            "applicationTenantId": "appOwnerOrganizationId",
            "displayName": "displayName",
            "objectId": "id",
            "servicePrincipalNames": "servicePrincipalNames",
            "signInAudience": "signInAudience",
            "type": "servicePrincipalType",
        },
        settings=frozenset({"useExisting"}),
        references=frozenset({"owners"}),
        defaults={"accountEnabled": True},
        collection="servicePrincipals",
    ),
    "azuread:index/servicePrincipalPassword:ServicePrincipalPassword": _password(
        "azuread_service_principal_password", "servicePrincipalId", "servicePrincipals"
    ),
    "azuread:index/applicationPassword:ApplicationPassword": _password(
        "azuread_application_password", "applicationId", "applications"
    ),
    "azuread:index/group:Group": Group(
        "azuread_group",
        required=("displayName",),
        replaces=frozenset({"types", "behaviors", "mailNickname", "assignableToRole", "provisioningOptions"}),
        fields={
            **_named("displayName", "description", "mailEnabled", "mailNickname", "securityEnabled", "visibility"),
            "assignableToRole": "isAssignableToRole",
            "behaviors": "resourceBehaviorOptions",
            "provisioningOptions": "resourceProvisioningOptions",
            "types": "groupTypes",
        },
        shown={"objectId": "id", "mail": "mail"},
        settings=frozenset({"preventDuplicateNames"}),
        references=frozenset({"members", "owners"}),
        kept=frozenset({"mailNickname", "members", "owners", "visibility"}),
        seconds=30 * _MINUTE,
        collection="groups",
        caller_stays=True,
    ),
    "azuread:index/groupMember:GroupMember": GroupMember(
        "azuread_group_member",
        required=("groupObjectId", "memberObjectId"),
        replaces=frozenset({"groupObjectId", "memberObjectId"}),
        settings=frozenset({"groupObjectId", "memberObjectId"}),
        seconds=5 * _MINUTE,
    ),
    "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential": FederatedCredential(
        "azuread_application_federated_identity_credential",
        required=("applicationId", "audiences", "displayName", "issuer", "subject"),
        replaces=frozenset({"applicationId", "displayName"}),
        fields={**_named("audiences", "description", "issuer", "subject"), "displayName": "name"},
        settings=frozenset({"applicationId"}),
        ordered=frozenset({"audiences"}),
        computed=frozenset({"credentialId"}),
        seconds=15 * _MINUTE,
    ),
}
