"""Loads providers: in-process ones first, then plugins where Pulumi looks for them."""

import contextlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from pulumi.runtime import proto

from sandbox.engine.carry_out.providers.instance import Provider
from sandbox.engine.carry_out.providers.plugins import AttachedPlugin, PluginProcess
from sandbox.engine.errors import EngineError
from sandbox.engine.provider import Factory, ProviderError


class Host:
    """Loads providers: the caller's in-process ones first, then plugins where Pulumi looks for them."""

    def __init__(self, factories: Mapping[str, Factory], paths: Mapping[str, str], directory: Path) -> None:
        """Takes the in-process providers, the plugin paths of Pulumi.yaml, and the project's directory."""
        self._factories = factories
        self._paths = paths
        self._directory = directory
        self.running: list[Provider] = []

    def load(self, package: str, version: str) -> Provider:
        """A new instance of a package's provider.

        Raises:
            EngineError: there is no such plugin here.
        """
        if package in self._factories:
            provider = Provider(package, servicer=self._factories[package]())
        elif attach := self._attached(package):
            provider = Provider(package, process=attach)
        else:
            provider = Provider(package, process=PluginProcess([self._find(package, version)], self._directory))
        self.running.append(provider)
        with contextlib.suppress(ProviderError):  # older providers know no handshake
            provider.call(
                "Handshake",
                proto.ProviderHandshakeRequest(root_directory=str(self._directory), configure_with_urn=True),
            )
        return provider

    def close(self) -> None:
        """End every provider that was loaded."""
        while self.running:
            self.running.pop().close()

    def _attached(self, package: str) -> PluginProcess | None:
        for entry in os.environ.get("PULUMI_DEBUG_PROVIDERS", "").split(","):
            name, _, port = entry.strip().partition(":")
            if name == package:
                return AttachedPlugin(int(port))
        return None

    def _find(self, package: str, version: str) -> str:
        name = f"pulumi-resource-{package}"
        home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
        places = []
        if package in self._paths:
            given = self._directory / self._paths[package]
            places.append(given / name if given.is_dir() else given)
        elif on_path := shutil.which(name):
            places.append(Path(on_path))
        else:
            folder = home / "plugins"
            places += (
                [folder / f"resource-{package}-v{version}" / name]
                if version
                else sorted(folder.glob(f"resource-{package}-v*/{name}"), reverse=True)
            )
        for place in places:
            if place.is_file():
                return str(place)
        looked = " nor ".join(str(p) for p in places) or str(home / "plugins")
        raise EngineError(
            f"no resource plugin '{name}-v{version or '?'}' found: neither in process, on PATH nor at {looked}. "
            "The embedded engine downloads no plugins: put one there, "
            "or name its path in Pulumi.yaml under plugins.providers"
        )
