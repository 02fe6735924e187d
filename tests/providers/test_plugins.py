"""The stand-ins as plugin processes, started and called as the real engine does."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.providers import plugins
from sandbox.providers.values import from_struct, to_struct
from tests.providers.cloud import SUBSCRIPTION, Cloud

SECONDS = 10  # within which Pulumi wants the port


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        assert selector.select(SECONDS)
    return int(process.stdout.readline())


@contextmanager
def started(*command: str) -> Iterator[tuple[subprocess.Popen[str], provider_pb2_grpc.ResourceProviderStub]]:
    process = subprocess.Popen(
        [*command, "127.0.0.1:1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        options = [("grpc.enable_http_proxy", 0)]
        with grpc.insecure_channel(f"127.0.0.1:{port_of(process)}", options=options) as channel:
            yield process, provider_pb2_grpc.ResourceProviderStub(channel)
    finally:
        process.kill()
        process.communicate()


def ended(pid: int, seconds: float = SECONDS) -> bool:
    """Whether a process is gone, within the deadline; a zombie nobody waited for counts as gone."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(("name", "version"), [("azure-native", "3.29.0"), ("azuread", "6.11.1")])
def test_a_launcher_lies_where_pulumi_looks_for_it(tmp_path: Path, name: str, version: str) -> None:
    plugins.install(tmp_path)
    plugins.install(tmp_path)  # again, over itself
    launcher = tmp_path / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}"
    with started(str(launcher)) as (_, stub):
        assert stub.GetPluginInfo(empty_pb2.Empty()).version == version
        greeting = stub.Handshake(proto.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
        assert greeting.accept_secrets
        assert not greeting.accept_resources
        assert greeting.supports_autonaming_configuration
    assert [one.name for one in launcher.parent.iterdir()] == [launcher.name]


def test_a_plugin_works_on_azure_and_reports_failures(cloud: Cloud) -> None:
    with started(sys.executable, "-m", "sandbox.providers", "azure-native") as (_, stub):
        configured = stub.Configure(proto.ConfigureRequest(variables={"azure-native:config:location": "eastus2"}))
        assert (configured.acceptSecrets, configured.supportsPreview) == (True, True)
        urn = "urn:pulumi:dev::p::azure-native:resources:ResourceGroup::g"
        checked = stub.Check(proto.CheckRequest(urn=urn, news=to_struct({"resourceGroupName": "g"})))
        assert from_struct(checked.inputs)["location"] == "eastus2"
        made = stub.Create(proto.CreateRequest(urn=urn, properties=checked.inputs))
        assert made.id == f"/subscriptions/{SUBSCRIPTION}/resourcegroups/g"
        with pytest.raises(grpc.RpcError) as failed:
            stub.Create(proto.CreateRequest(urn=urn, properties=checked.inputs))
        assert failed.value.code() == grpc.StatusCode.UNKNOWN
        assert "cannot create already existing resource" in failed.value.details()
        reply = stub.Invoke(proto.InvokeRequest(tok="azure-native:authorization:getClientConfig"))
        assert from_struct(getattr(reply, "return"))["subscriptionId"] == SUBSCRIPTION


@contextmanager
def engine(**more: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that starts a plugin as Pulumi's host does, and the plugin's id."""
    start = (
        "import subprocess, sys; p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
    )
    start += "print(p.pid, flush=True); print(p.stdout.readline().decode().strip(), flush=True); p.wait()"
    command = [sys.executable, "-c", start, sys.executable, "-m", "sandbox.providers", "azure-native"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **more}) as parent:
        assert parent.stdout is not None
        plugin = int(parent.stdout.readline())
        try:
            yield parent, plugin
            assert ended(plugin)
        finally:
            with suppress(ProcessLookupError):
                os.kill(plugin, signal.SIGKILL)
            parent.kill()


def test_a_plugin_ends_with_its_killed_engine() -> None:
    with engine() as (parent, plugin):
        assert port_of(parent) > 0
        os.kill(plugin, 0)
        parent.kill()


def test_a_plugin_that_is_waiting_for_azure_ends_with_its_killed_engine(cloud: Cloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        proxy = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with engine(HTTPS_PROXY=proxy, https_proxy=proxy) as (parent, plugin):
            options = [("grpc.enable_http_proxy", 0)]
            with grpc.insecure_channel(f"127.0.0.1:{port_of(parent)}", options=options) as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                asked = proto.InvokeRequest(tok="azure-native:authorization:getClientConfig")
                answer = stub.Invoke.future(asked)
                mute.settimeout(SECONDS)
                with mute.accept()[0]:
                    parent.kill()
                    assert answer.code() == grpc.StatusCode.UNAVAILABLE
                    assert ended(plugin, SECONDS / 2)  # the request itself gives up after `SECONDS`


def test_a_plugin_ends_when_asked() -> None:
    with started(sys.executable, "-m", "sandbox.providers", "azuread") as (process, _):
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(SECONDS) == 0


def test_wrong_usage_is_said() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.providers", "aws"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "usage: python -m sandbox.providers azure-native|azuread\n"
