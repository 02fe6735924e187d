"""The providers that a deployment has: the instance of every provider resource, and the engine's own package `pulumi`.

The registry is itself the provider of provider resources (Pulumi's `pkg/resource/deploy/providers`).
"""

import threading
import uuid
from typing import Any

from sandbox.engine.carry_out.providers.host import Host
from sandbox.engine.carry_out.providers.instance import Provider
from sandbox.engine.errors import EngineError
from sandbox.engine.provider import INTERNAL, Diff, Failures, ProviderError, ReadResult, ResourceProvider, visible
from sandbox.engine.state.resources import Resource, type_of
from sandbox.engine.values import UNKNOWN, Map


class Registry:
    """The instances of the provider resources, and the provider of these resources."""

    def __init__(self, host: Host, builtins: ResourceProvider) -> None:
        self._host = host
        self._builtins = builtins
        self._instances: dict[tuple[str, str], Any] = {}  # (URN, id or "" before it is configured) -> Provider
        self._lock = threading.RLock()

    def get(self, reference: str) -> Any:
        """The instance that a reference (`<URN>::<id>`) names, or None."""
        urn, _, id_ = reference.rpartition("::")
        return self._instances.get((urn, id_))

    def alias(self, reference: str, old: str) -> None:
        """Let an instance be found under an old reference, too."""
        if instance := self.get(reference):
            urn, _, id_ = old.rpartition("::")
            self._instances[urn, id_] = instance

    def ensure(self, resource: Resource) -> None:
        """Load and configure the instance of a provider resource, if it is not."""
        with self._lock:
            if (resource.urn, resource.id) in self._instances:
                return
            instance = self._instances.pop((resource.urn, ""), None) or self._load(resource.urn, resource.inputs)
            self._configure(instance, resource.urn, resource.id, resource.inputs)

    def load_old(self, resource: Resource) -> None:
        """Load the instance that a provider resource in the state describes, whatever was checked for its URN."""
        with self._lock:
            if (resource.urn, resource.id) not in self._instances:
                self._configure(self._load(resource.urn, resource.inputs), resource.urn, resource.id, resource.inputs)

    def check(self, urn: str, olds: Map | None, news: Map, preview: bool) -> tuple[Map, Failures]:
        """Load a new instance and let it check its configuration."""
        instance = self._load(urn, news)
        if instance is self._builtins:
            inputs, failures = {}, []
        else:
            inputs, failures = instance.check_config(urn, visible(olds or {}), visible(news))
            for key in ("version", INTERNAL):
                if key in news:
                    inputs[key] = news[key]
        if not failures:
            self._instances[urn, ""] = instance
        return inputs, failures

    def diff(self, urn: str, old: Resource, news: Map, ignore_changes: list[str], preview: bool) -> Diff:
        """Compare configurations."""
        instance = self._instances.get((urn, "")) or self._instances[urn, old.id]
        return self.compare(instance, urn, old, news)

    def compare(self, instance: Any, urn: str, old: Resource, news: Map) -> Diff:
        """Compare a provider resource's configuration with another one, as an instance sees it."""
        if instance is self._builtins:
            return Diff()
        diff: Diff = instance.diff_config(urn, old, news)
        if diff.some is None:
            diff.some = old.outputs != visible(news)
        return diff

    def create(self, new: Resource, preview: bool) -> tuple[str, Map]:
        """Configure the instance that was checked."""
        id_ = UNKNOWN if preview else str(uuid.uuid4())
        with self._lock:
            instance = self._instances.pop((new.urn, ""), None) or self._load(new.urn, new.inputs)
            self._configure(instance, new.urn, id_, new.inputs)
        return id_, visible(new.inputs)

    def update(self, old: Resource, new: Resource, ignore_changes: list[str], preview: bool) -> Map:
        """Configure the instance that was checked, in the old one's place."""
        with self._lock:
            self._configure(self._instances.pop((new.urn, "")), new.urn, old.id, new.inputs)
        return visible(new.inputs)

    def delete(self, old: Resource) -> None:
        """End an instance."""
        instance = self._instances.pop((old.urn, old.id), None)
        if isinstance(instance, Provider):
            instance.close()

    def read(self, urn: str, id_: str, inputs: Map | None, state: Map | None) -> ReadResult:
        """Refuse the call, as Pulumi does."""
        raise ProviderError("provider resources may not be read")

    def invoke(self, token: str, args: Map, preview: bool) -> tuple[Map, Failures]:
        """Refuse the call, as Pulumi does."""
        raise ProviderError("the provider registry is not invokable")

    def _load(self, urn: str, inputs: Map) -> Any:
        package = type_of(urn).rpartition(":")[2]
        if package == "pulumi":
            return self._builtins
        if "parameterization" in inputs.get(INTERNAL, {}):
            raise EngineError(
                f"{urn}: parameterized packages are not supported by the embedded engine; use the pulumi CLI"
            )
        return self._host.load(package, inputs.get("version", ""))

    def _configure(self, instance: Any, urn: str, id_: str, inputs: Map) -> None:
        if instance is not self._builtins:
            instance.configure(urn, id_, visible(inputs))
        self._instances[urn, id_] = instance
