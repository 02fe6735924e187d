"""Pulumi's checkpoint, version 3 and 4: resources as JSON, with their secrets encrypted."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine.errors import EngineError
from sandbox.engine.state.resources import Resource, now
from sandbox.engine.state.secrets import Secrets
from sandbox.engine.values import SECRET, SIG, Map

VERSION = "v3.259.0"  # the engine that the behaviour is taken from; its name in the manifest decides what can read it


_STORED = {  # in the order in which Pulumi writes them
    "urn": "urn",
    "custom": "custom",
    "delete": "delete",
    "id": "id",
    "type": "type",
    "inputs": "inputs",
    "outputs": "outputs",
    "parent": "parent",
    "protect": "protect",
    "external": "external",
    "dependencies": "dependencies",
    "init_errors": "initErrors",
    "provider": "provider",
    "property_dependencies": "propertyDependencies",
    "pending_replacement": "pendingReplacement",
    "additional_secret_outputs": "additionalSecretOutputs",
    "aliases": "aliases",
    "custom_timeouts": "customTimeouts",
    "import_id": "importID",
    "retain_on_delete": "retainOnDelete",
    "deleted_with": "deletedWith",
    "created": "created",
    "modified": "modified",
    "source_position": "sourcePosition",
    "ignore_changes": "ignoreChanges",
    "replace_on_changes": "replaceOnChanges",
    "hooks": "resourceHooks",
}


_ALWAYS = {"urn", "custom", "type"}


@dataclass
class Checkpoint:
    """All that a stack file holds."""

    resources: list[Resource] = field(default_factory=list)
    pending: list[tuple[str, Resource]] = field(default_factory=list)  # what was under way, e.g. ("creating", resource)
    salt: str | None = None
    others: Map = field(default_factory=dict)  # metadata, snippets, extensions: kept as they were read


class Codec:
    """Turns resources into the checkpoint's JSON and back, secrets encrypted (or, `show_secrets`, in clear)."""

    def __init__(self, secrets: Secrets, show_secrets: bool = False) -> None:
        self.secrets = secrets
        self._show = show_secrets

    def dump(self, resource: Resource) -> Map:
        """The resource as the checkpoint has it."""
        stored: Map = {}
        for name, key in _STORED.items():
            value = getattr(resource, name)
            if value or name in _ALWAYS:
                stored[key] = (
                    self._dump(value, f"{resource.urn}.{key}")
                    if key in ("inputs", "outputs")
                    else value
                    if key != "customTimeouts"
                    else self.numbers(value)
                )
        return {**stored, **resource.others}

    def _dump(self, value: Any, where: str) -> Any:
        if isinstance(value, dict):
            if value.get(SIG) == SECRET:
                text = json.dumps(self._dump(value["value"], where), ensure_ascii=False, separators=(",", ":"))
                return (
                    {SIG: SECRET, "plaintext": text}
                    if self._show
                    else {SIG: SECRET, "ciphertext": self.secrets.encrypt(text, where)}
                )
            return {key: self._dump(inner, f"{where}.{key}") for key, inner in value.items()}
        if isinstance(value, list):
            return [self._dump(inner, f"{where}[{i}]") for i, inner in enumerate(value)]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    @classmethod
    def numbers(cls, value: Any) -> Any:
        """The value with whole numbers as such, as Go writes them."""
        if isinstance(value, dict):
            return {key: cls.numbers(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [cls.numbers(inner) for inner in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    def load(self, stored: Map) -> Resource:
        """The resource that the checkpoint has.

        Raises:
            EngineError: a secret of it cannot be decrypted.
        """
        others = {key: value for key, value in stored.items() if key not in _STORED.values()}
        known = {name: stored[key] for name, key in _STORED.items() if stored.get(key) is not None}
        for key in ("inputs", "outputs"):
            if key in known:
                known[key] = self._load(known[key], f"{known['urn']}.{key}")
        return Resource(**known, others=others)

    def _load(self, value: Any, where: str) -> Any:
        if isinstance(value, dict):
            if value.get(SIG) == SECRET:
                text = value["plaintext"] if "plaintext" in value else self.secrets.decrypt(value["ciphertext"], where)
                return {SIG: SECRET, "value": self._load(json.loads(text), where)}
            return {key: self._load(inner, f"{where}.{key}") for key, inner in value.items()}
        if isinstance(value, list):
            return [self._load(inner, f"{where}[{i}]") for i, inner in enumerate(value)]
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def dump_deployment(self, checkpoint: Checkpoint) -> Map:
        """Returns the checkpoint as JSON, in the form of Pulumi's `DeploymentV3`."""
        magic = hashlib.sha256(VERSION.encode()).hexdigest()
        stored: Map = {"manifest": {"time": now(), "magic": magic, "version": VERSION}}
        if checkpoint.salt:
            stored["secrets_providers"] = {"type": "passphrase", "state": {"salt": checkpoint.salt}}
        if checkpoint.resources:
            stored["resources"] = [self.dump(r) for r in checkpoint.resources]
        if checkpoint.pending:
            stored["pending_operations"] = [{"resource": self.dump(r), "type": op} for op, r in checkpoint.pending]
        return {**stored, "metadata": {}, **checkpoint.others}

    def load_deployment(self, stored: Map) -> Checkpoint:
        """The checkpoint that a `DeploymentV3` holds.

        Raises:
            EngineError: it is not one, or a secret of it cannot be decrypted.
        """
        try:
            return Checkpoint(
                resources=[self.load(r) for r in stored.get("resources") or ()],
                pending=[(p["type"], self.load(p["resource"])) for p in stored.get("pending_operations") or ()],
                salt=salt_of(stored),
                others={k: v for k, v in stored.items() if k in ("metadata", "snippets", "extensions")},
            )
        except (KeyError, TypeError, AttributeError) as e:
            raise EngineError(f"the state is not a Pulumi deployment of version 3: {e!r}") from e


def version_of(deployment: Map) -> Map:
    """The version that a deployment is stored under: 4, with the feature named, if resources have hooks, else 3."""
    pending = (operation["resource"] for operation in deployment.get("pending_operations", ()))
    hooks = any("resourceHooks" in resource for resource in (*deployment.get("resources", ()), *pending))
    return {"version": 4, "features": ["hooks"]} if hooks else {"version": 3}


def refuse_version(stored: Map, what: str) -> None:
    """Refuse a state of another version than 3 and 4, or with features that are not known here.

    Raises:
        EngineError: The state has another version, or such features.
    """
    if stored.get("version") not in {3, 4}:
        raise EngineError(f"{what} has version {stored.get('version')}; only 3 and 4 are supported")
    unknown = sorted({str(feature) for feature in stored.get("features") or ()} - {"hooks"})
    if unknown:
        raise EngineError(f"{what} uses {', '.join(unknown)}, which the embedded engine does not support")


def salt_of(deployment: Map) -> str | None:
    """The salt that a deployment's secrets were encrypted with, if it has secrets.

    Raises:
        EngineError: its secrets are kept by a service.
    """
    provider = deployment.get("secrets_providers") or {}
    if provider and provider.get("type") != "passphrase":
        raise EngineError(
            f"the state's secrets are kept by {provider.get('type')!r}; the embedded engine knows "
            "passphrases only: change it with `pulumi stack change-secrets-provider passphrase`"
        )
    return provider["state"]["salt"] if provider else None
