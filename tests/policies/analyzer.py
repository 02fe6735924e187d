"""The policy pack in the process that the engine starts for it, driven as the engine drives it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, engine_pb2_grpc

from tests.policies.platform import Item, Platform

ROOT = Path(__file__).resolve().parents[2]
LEVELS = {"advisory": 0, "mandatory": 1, "disabled": 2, "remediate": 3}


class _Engine(engine_pb2_grpc.EngineServicer):
    def Log(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


@dataclass
class Run:
    """What an analyzer said of a platform: rule, level, resource, message."""

    all: list[tuple[str, str, str, str]] = field(default_factory=list)

    @property
    def violations(self) -> list[tuple[str, str, str, str]]:
        """Without what could not be decided."""
        return [one for one in self.all if "can't run policy" not in one[3]]

    @property
    def undecided(self) -> list[tuple[str, str, str, str]]:
        return [one for one in self.all if "can't run policy" in one[3]]


class Analyzer:
    """The analyzer's calls, with plain values."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    def info(self) -> Any:
        return self._stub.GetAnalyzerInfo(empty_pb2.Empty())

    def configure(self, config: Mapping[str, Mapping[str, Any]]) -> None:
        """As the engine reads a policy configuration file: the level apart, the rest as the rule's properties."""
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        for rule, values in config.items():
            properties = {key: value for key, value in values.items() if key != "enforcementLevel"}
            request.policyConfig[rule].enforcementLevel = LEVELS[str(values["enforcementLevel"])]
            json_format.ParseDict(properties, request.policyConfig[rule].properties)
        self._stub.Configure(request)

    def analyze(self, type_: str, properties: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """(rule, level, message) of all violations."""
        request = analyzer_pb2.AnalyzeRequest(type=type_, name="it", urn=f"urn:pulumi:dev::p::{type_}::it")
        json_format.ParseDict(properties, request.properties)
        names = {number: name for name, number in LEVELS.items()}
        return [(d.policyName, names[d.enforcementLevel], d.message) for d in self._stub.Analyze(request).diagnostics]

    def run(self, platform: Platform) -> Run:
        """Ask about every resource of a platform, then about the stack, as an engine does."""
        found = Run()
        for item in platform.items.values():
            self._tell(self._stub.Analyze(self._request(item)), found, item.name)
        request = analyzer_pb2.AnalyzeStackRequest()
        urns = {item.name: item.urn for item in platform.items.values()}
        for item in platform.items.values():
            one = request.resources.add(type=item.token, urn=item.urn, name=item.name)
            json_format.ParseDict({**item.inputs, **item.outputs}, one.properties)
            for key, names in item.sources.items():
                one.propertyDependencies[key].urns.extend(urns[name] for name in names if name in urns)
        self._tell(self._stub.AnalyzeStack(request), found, "")
        return found

    def of(self, item: Item, rule: str) -> list[tuple[str, str]]:
        """(rule, level) of what one rule finds of one resource."""
        found = Run()
        self._tell(self._stub.Analyze(self._request(item)), found, item.name)
        return [(name, level) for name, level, _, _ in found.all if name == rule]

    def not_applicable(self, item: Item) -> dict[str, str]:
        """Why rules do not apply to a resource."""
        return {n.policy_name: n.reason for n in self._stub.Analyze(self._request(item)).not_applicable}

    @staticmethod
    def _request(item: Item) -> Any:
        request = analyzer_pb2.AnalyzeRequest(type=item.token, name=item.name, urn=item.urn)
        json_format.ParseDict(item.inputs, request.properties)
        return request

    @staticmethod
    def _tell(response: Any, found: Run, name: str) -> None:
        names = {number: level for level, number in LEVELS.items()}
        for d in response.diagnostics:
            who = d.urn.rpartition("::")[2] or name
            found.all.append((d.policyName, names[d.enforcementLevel], who, d.message))

    def remediate(self, type_: str, properties: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """New properties by rule."""
        request = analyzer_pb2.AnalyzeRequest(type=type_, name="it", urn=f"urn:pulumi:dev::p::{type_}::it")
        json_format.ParseDict(properties, request.properties)
        return {
            r.policyName: json_format.MessageToDict(r.properties) for r in self._stub.Remediate(request).remediations
        }


def stack_config(stack: str) -> dict[str, dict[str, Any]]:
    """The committed configuration of a stack, its layers merged."""
    loaded: dict[str, dict[str, Any]] = json.loads((ROOT / "policies" / "merged" / f"{stack}.json").read_text())
    return loaded


@contextmanager
def running(folder: Path = ROOT / "policies") -> Iterator[Analyzer]:
    """The analyzer process of the pack in a folder, as `pulumi` starts it."""
    server = grpc.server(ThreadPoolExecutor(1))
    engine_pb2_grpc.add_EngineServicer_to_server(_Engine(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    environment = {**os.environ, "PULUMI_PROJECT": "azureml-platform", "PULUMI_STACK": "dev", "PULUMI_DRY_RUN": "true"}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", f"127.0.0.1:{port}", str(folder)],
        stdout=subprocess.PIPE,
        env=environment,
        cwd=folder,
        text=True,
    )
    assert process.stdout
    try:
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            yield Analyzer(analyzer_pb2_grpc.AnalyzerStub(channel))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        server.stop(None)
