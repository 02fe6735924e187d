"""Providers that talk to a scripted cloud, or to nobody at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.providers.azure_native import AzureNative
from sandbox.providers.azuread import AzureAD
from tests.providers.cloud import Cloud, serving
from tests.providers.driver import configured


@pytest.fixture(scope="session")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, dict[str, str]]]:
    with serving(tmp_path_factory.mktemp("cloud")) as served:
        yield served


@pytest.fixture
def cloud(_served: tuple[Cloud, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The scripted cloud, empty, with this process as its client."""
    cloud, environment = _served
    cloud.__init__(cloud.port)  # type: ignore[misc]
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return cloud


@pytest.fixture
def native(cloud: Cloud) -> AzureNative:
    """azure-native, configured by the environment."""
    provider = AzureNative()
    configured(provider)
    return provider


@pytest.fixture
def directory(cloud: Cloud) -> AzureAD:
    """azuread, configured by the environment."""
    provider = AzureAD()
    configured(provider)
    return provider


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AzureNative:
    """azure-native with no credentials and nobody to talk to, for what needs neither."""
    for prefix in ("ARM", "AZURE"):
        for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "SUBSCRIPTION_ID"):
            monkeypatch.delenv(f"{prefix}_{name}", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    return AzureNative()
