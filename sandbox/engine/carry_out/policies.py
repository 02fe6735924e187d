"""Policy packs: runs each in Pulumi's own analyzer process, and asks it about resources and the stack.

The real engine starts the same process (`python -u -m pulumi.policy`), so the rules mean the same here, unknown values
included.
"""

import json
import os
import sys
from collections.abc import Iterable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import proto
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, engine_pb2_grpc

import terminal
from sandbox.engine import values
from sandbox.engine.carry_out.providers.plugins import PluginProcess
from sandbox.engine.context import Context
from sandbox.engine.errors import EngineError
from sandbox.engine.events import Remediation, Violation
from sandbox.engine.goals import Goal
from sandbox.engine.project import load_yaml
from sandbox.engine.state.resources import STACK_TYPE, Resource
from sandbox.engine.values import Map, from_struct, to_struct

LEVELS = ("advisory", "mandatory", "disabled", "remediate")  # by number, as on the wire
# What `python -m pulumi.policy` runs; its standard input is closed when the engine is gone, however that ended.
_LAUNCH = """
import os, runpy, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)
"""


class _Log(engine_pb2_grpc.EngineServicer):
    """The service to which the analyzer process sends its own messages."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def Log(self, request: Any, _context: Any) -> empty_pb2.Empty:  # noqa: N802 (gRPC's name)
        self.lines.append(request.message.strip())
        return empty_pb2.Empty()


class Analyzer:
    """One policy pack."""

    def __init__(self, directory: Path, config: Map, environment: dict[str, str]) -> None:
        """Starts the pack's process and configures it.

        Args:
            directory: the pack's, with PulumiPolicy.yaml and __main__.py.
            config: as `--policy-pack-config` gives it: a policy's name (or `all`) -> level, or object with
                `enforcementLevel` and the policy's own settings.
            environment: the project, stack and configuration that the pack may read.

        Raises:
            EngineError: it is no policy pack, does not start, or does not take the configuration.
        """
        self.directory = directory
        self._check(directory)
        self._log = _Log()
        self._server = grpc.server(futures.ThreadPoolExecutor(1))
        engine_pb2_grpc.add_EngineServicer_to_server(self._log, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        command = [_python(directory), "-u", "-c", _LAUNCH, f"127.0.0.1:{port}", str(directory)]
        try:
            self._process = PluginProcess(command, directory, environment)
        except EngineError as e:
            self._server.stop(None)
            raise EngineError(f"policy pack {directory} did not start: {' '.join(self._log.lines) or e}") from None
        self._stub = analyzer_pb2_grpc.AnalyzerStub(self._process.channel)
        try:
            self.info = self._call("GetAnalyzerInfo", empty_pb2.Empty())
            self.name, self.version = self.info.name, str(_project(directory).get("version") or self.info.version)
            given = _configuration(self.info, config, directory)
            self._remedies = any(LEVELS[one.enforcementLevel] == "remediate" for one in given.values())
            self._call("Configure", proto.ConfigureAnalyzerRequest(policyConfig=given))
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _check(directory: Path) -> None:
        for name in ("PulumiPolicy.yaml", "__main__.py"):
            if not (directory / name).is_file():
                raise EngineError(f"{directory} is not a policy pack: it has no {name}")
        runtime = _project(directory).get("runtime")
        language = runtime.get("name") if isinstance(runtime, dict) else runtime
        if language != "python":
            raise EngineError(
                f"policy pack {directory}: runtime {language!r} is not supported by the embedded engine, "
                "which runs Python packs only"
            )

    def close(self) -> None:
        """End the process."""
        self._process.stop()
        self._server.stop(None)

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request)
        except grpc.RpcError as e:
            raise EngineError(
                f"policy pack {self.directory.name}: {' '.join(self._log.lines)} {e.details()}".replace("  ", " ")
            ) from None

    def remediate(self, new: Resource, goal: Goal, d: Context) -> None:
        """Let the pack rewrite a resource's inputs, in place, if a policy of it is set to do so."""
        if not self._remedies:
            return
        for remediation in self._call("Remediate", self._request(new, goal, d)).remediations:
            if remediation.diagnostic:
                d.emit(
                    Violation(
                        new.urn, remediation.policyName, self.name, self.version, "advisory", remediation.diagnostic
                    )
                )
                continue
            after = from_struct(remediation.properties)
            d.emit(Remediation(new.urn, remediation.policyName, self.name, self.version, new.inputs, after))
            new.inputs = after

    def analyze(self, new: Resource, goal: Goal, d: Context) -> bool:
        """Let the pack look at a resource; True if it breaks a mandatory rule."""
        return self._tell(self._call("Analyze", self._request(new, goal, d)).diagnostics, new.urn, d)

    def analyze_stack(self, resources: Iterable[Resource], d: Context) -> bool:
        """Let the pack look at the whole stack; True if it breaks a mandatory rule."""
        request = proto.AnalyzeStackRequest()
        for r in resources:
            goal = d.goals.get(r.urn)
            item = request.resources.add(
                type=r.type,
                properties=to_struct(r.outputs),
                urn=r.urn,
                name=r.name,
                parent=r.parent,
                dependencies=r.dependencies,
                options=_options(r, goal),
                provider=self._provider(r, d),
            )
            for key, urns in r.property_dependencies.items():
                item.propertyDependencies[key].urns.extend(urns)
        stack = next((r.urn for r in d.news.values() if r.type == STACK_TYPE), "")
        return self._tell(self._call("AnalyzeStack", request).diagnostics, stack, d)

    def _tell(self, diagnostics: Iterable[Any], urn: str, d: Context) -> bool:
        mandatory = False
        for diagnostic in diagnostics:
            level = LEVELS[diagnostic.enforcementLevel]
            level = "mandatory" if level == "remediate" else level
            mandatory = mandatory or level == "mandatory"
            d.emit(
                Violation(
                    diagnostic.urn or urn, diagnostic.policyName, self.name, self.version, level, diagnostic.message
                )
            )
        return mandatory

    def _request(self, new: Resource, goal: Goal, d: Context) -> Any:
        return proto.AnalyzeRequest(
            type=new.type,
            properties=to_struct(new.inputs),
            urn=new.urn,
            name=new.name,
            options=_options(new, goal),
            provider=self._provider(new, d),
        )

    def _provider(self, resource: Resource, d: Context) -> Any:
        urn = resource.provider.rpartition("::")[0]
        provider = d.provider_states.get(urn) or d.olds.get(urn)
        if not provider:
            return None
        return proto.AnalyzerProviderResource(
            type=provider.type, properties=to_struct(provider.inputs), urn=provider.urn, name=provider.name
        )


def _options(resource: Resource, goal: Goal | None) -> Any:
    before = goal.delete_before_replace if goal else None
    return proto.AnalyzerResourceOptions(
        protect=resource.protect,
        ignoreChanges=resource.ignore_changes,
        deleteBeforeReplace=bool(before),
        deleteBeforeReplaceDefined=before is not None,
        additionalSecretOutputs=resource.additional_secret_outputs,
        aliases=resource.aliases,
        customTimeouts=proto.AnalyzerResourceOptions.CustomTimeouts(
            **{k: v for k, v in resource.custom_timeouts.items() if k != "read"}
        ),
        parent=resource.parent,
    )


def _project(directory: Path) -> Map:
    return load_yaml(directory / "PulumiPolicy.yaml")


def _python(directory: Path) -> str:
    """The interpreter of the pack's own virtual environment if it names one, else ours."""
    runtime = _project(directory).get("runtime")
    named = (runtime.get("options") or {}).get("virtualenv") if isinstance(runtime, dict) else None
    own = directory / str(named) / "bin" / "python"
    return str(own) if named and own.exists() else sys.executable


def load_config(file: Path) -> Map:
    """A `--policy-pack-config` file.

    Raises:
        EngineError: The file cannot be read, or is no JSON object.
    """
    try:
        config = json.loads(terminal.read_text(file))
    except (OSError, ValueError) as e:
        raise EngineError(f"the policy configuration {file} cannot be read: {e}") from e
    if not isinstance(config, dict):
        raise EngineError(
            f"the policy configuration {file} must be a JSON object: a policy's name, or `all`, and what it is set to"
        )
    return config


def _configuration(info: Any, config: Map, directory: Path) -> dict[str, Any]:
    """Each policy's level and settings: its own entry, else `all`, else the pack's; schema defaults filled in."""
    names = {policy.name for policy in info.policies}
    unknown = sorted(config.keys() - names - {"all"})
    if unknown:
        raise EngineError(
            f"policy configuration for {info.name}: no such policy {', '.join(unknown)}; "
            f"there are: {', '.join(sorted(names))}, all"
        )
    configured = {}
    for policy in info.policies:
        initial = info.initialConfig.get(policy.name)
        entry = _entry(config.get(policy.name), policy.name)
        level = entry.pop("enforcementLevel", None) or _entry(config.get("all"), "all").get("enforcementLevel")
        number: Any = LEVELS.index(level) if level else (initial or policy).enforcementLevel
        schema = MessageToDict(policy.configSchema.properties) if policy.HasField("configSchema") else {}
        defaults = {k: v["default"] for k, v in schema.items() if isinstance(v, dict) and "default" in v}
        settings = {**defaults, **(from_struct(initial.properties) if initial else {}), **entry}
        missing = [k for k in policy.configSchema.required if k not in settings]
        if missing and number != LEVELS.index("disabled"):
            raise EngineError(
                f"policy {policy.name} of {directory.name}: {', '.join(missing)} must be set in the configuration"
            )
        configured[policy.name] = analyzer_pb2.PolicyConfig(enforcementLevel=number, properties=to_struct(settings))
    return configured


def _entry(given: Any, name: str) -> Map:
    entry = {"enforcementLevel": given} if isinstance(given, str) else dict(given or {})
    level = entry.get("enforcementLevel")
    if level is not None and level not in LEVELS:
        raise EngineError(
            f"policy configuration of {name!r}: enforcementLevel {level!r} must be one of {', '.join(LEVELS)}"
        )
    return entry


def environment(d_stack: Any, dry_run: bool, config: Map) -> dict[str, str]:
    """The environment variables, Pulumi's own, that tell a policy pack about the project."""
    return {
        "PULUMI_PROJECT": d_stack.project,
        "PULUMI_STACK": d_stack.name,
        "PULUMI_ORGANIZATION": "organization",
        "PULUMI_DRY_RUN": str(dry_run).lower(),
        "PULUMI_CONFIG": json.dumps(values.plain(config)),
        "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH")])),
    }
