"""The policy pack in the process that the engine starts for it, driven as the engine drives it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, engine_pb2_grpc

ROOT = Path(__file__).resolve().parents[2]
LEVELS = {"advisory": 0, "mandatory": 1, "disabled": 2, "remediate": 3}


class _Engine(engine_pb2_grpc.EngineServicer):
    def Log(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


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
def running() -> Iterator[Analyzer]:
    """The analyzer process of the pack, as `pulumi` starts it."""
    server = grpc.server(ThreadPoolExecutor(1))
    engine_pb2_grpc.add_EngineServicer_to_server(_Engine(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    environment = {**os.environ, "PULUMI_PROJECT": "azureml-platform", "PULUMI_STACK": "dev", "PULUMI_DRY_RUN": "true"}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", f"127.0.0.1:{port}", str(ROOT / "policies")],
        stdout=subprocess.PIPE,
        env=environment,
        cwd=ROOT / "policies",
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
