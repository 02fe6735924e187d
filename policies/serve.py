"""Serves the pack to Pulumi: the protocol that its engine speaks with a policy pack's process.

`pulumi_policy.PolicyPack` speaks it too. It is not used because it decodes each resource anew for every rule, which is
most of the time that a pack of this size takes; because it cannot refuse a wrong configuration before the first
resource; and because it has one level a rule, where an exempted violation is advisory and an undecided strict rule
mandatory. docs/decisions has the figures.
"""

import sys
import threading
from concurrent import futures
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime import proto
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy.version import VERSION as SDK_VERSION

from policies import pack
from policies.config import COMMON, Config, ConfigError, from_entries, level_alone, settings_of
from policies.evaluation import Answer, Finding, Session
from policies.model import Level, ResourceRule, Rule, Setting
from policies.resources import Graph, Resource, kind_of
from policies.values import SIGNATURE, UnknownValueError, read

_MOST_BYTES = 400 * 1024 * 1024  # of one message, as in Pulumi's own SDK
_LEVELS = {
    Level.ADVISORY: analyzer_pb2.ADVISORY,
    Level.MANDATORY: analyzer_pb2.MANDATORY,
    Level.DISABLED: analyzer_pb2.DISABLED,
    Level.REMEDIATE: analyzer_pb2.REMEDIATE,
}
_BY_NUMBER = {number: level for level, number in _LEVELS.items()}


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """The pack, as Pulumi's engine asks it."""

    def __init__(self) -> None:
        self._config: Config = from_entries({}, "the pack's own defaults")
        self._session = Session(self._config)
        self._lock = threading.Lock()  # the engine asks about several resources at a time

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:  # noqa: N802 (gRPC's names, here and below)
        """The pack's name and version, and its rules."""
        info = analyzer_pb2.AnalyzerInfo(
            name=pack.NAME, version=pack.VERSION, supportsConfig=True, description="Rules for an Azure ML platform."
        )
        info.policies.extend(_described(rule) for rule in pack.rules().values())
        return info

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The version of the protocol, which is the SDK's."""
        return proto.PluginInfo(version=SDK_VERSION)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take a configuration, or refuse it as a whole."""
        entries = {
            name: {
                "enforcementLevel": str(_BY_NUMBER[given.enforcementLevel]),
                **json_format.MessageToDict(given.properties),
            }
            for name, given in request.policyConfig.items()
        }
        try:
            self._config = from_entries(entries, "the policy configuration (--policy-pack-config)")
        except ConfigError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        self._session = Session(self._config)
        return empty_pb2.Empty()

    def ConfigureStack(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take the stack's tags, which no rule needs."""
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Ask the rules about one resource."""
        with self._lock:
            return _response(self._session.analyze(_resource(request)))

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Ask the rules about the whole stack, which ends a look at it."""
        graph = Graph(_of_stack(one) for one in request.resources)
        with self._lock:
            session, self._session = self._session, Session(self._config)
            return _response(session.analyze_stack(graph))

    def Remediate(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Let the rules change a resource."""
        response = analyzer_pb2.RemediateResponse()
        if not self._session.may_remediate(kind_of(request.type)):
            return response
        given = _plain_values(request.properties)
        for rule, changed in self._session.remediate(_resource(request)):
            made = response.remediations.add(
                policyName=rule.name, policyPackName=pack.NAME, policyPackVersion=pack.VERSION, description=rule.title
            )
            if isinstance(changed, UnknownValueError):
                made.diagnostic = _cannot_run(rule, str(changed))
            else:
                given = _applied(given, changed)
                json_format.ParseDict(given, made.properties)
        return response


def serve() -> None:
    """Serve until the engine ends the process."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=4), options=[("grpc.max_receive_message_length", _MOST_BYTES)]
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")  # the engine waits for this line
    sys.stdout.flush()
    server.wait_for_termination()


def _described(rule: Rule) -> Any:
    described = analyzer_pb2.PolicyInfo(
        name=rule.name,
        displayName=rule.title,
        description=rule.title,
        enforcementLevel=_LEVELS[level_alone(rule, {})],
        severity=_severity(rule),
        remediation_steps=rule.remediation,
        url=rule.url,
        tags=["azure", *sorted({part.framework for part in rule.counterparts})],
        policy_type=proto.PolicyType.POLICY_TYPE_RESOURCE
        if isinstance(rule, ResourceRule)
        else proto.PolicyType.POLICY_TYPE_STACK,
    )
    framework, reference = rule.framework
    described.framework.name, described.framework.reference = framework, reference
    json_format.ParseDict(
        {key: _schema(setting) for key, setting in settings_of(rule).items()}, described.configSchema.properties
    )
    described.configSchema.required.extend(key for key, setting in rule.settings.items() if setting.required)
    return described


def _schema(setting: Setting) -> dict[str, Any]:
    default = {} if setting.default is None or setting in COMMON.values() else {"default": setting.default}
    return {**setting.schema, **default}


def _severity(rule: Rule) -> Any:
    return analyzer_pb2.PolicySeverity.Value(f"POLICY_SEVERITY_{rule.severity.name}")


def _plain_values(struct: Any) -> dict[str, Any]:
    """The values of a protobuf Struct, in a third of the time that `json_format` takes."""
    return {key: _plain_value(value) for key, value in struct.fields.items()}


def _plain_value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        return _plain_values(value.struct_value)
    if kind == "list_value":
        return [_plain_value(one) for one in value.list_value.values]
    return getattr(value, kind) if kind in ("bool_value", "number_value") else None


def _resource(request: Any) -> Resource:
    return Resource(
        token=request.type,
        urn=request.urn,
        inputs=read(_plain_values(request.properties)),
        parent=request.options.parent,
    )


def _of_stack(item: Any) -> Resource:
    properties = read(_plain_values(item.properties))
    return Resource(
        token=item.type,
        urn=item.urn,
        inputs=properties,
        outputs=properties,
        parent=item.parent,
        dependencies=tuple(item.dependencies),
        property_dependencies={key: tuple(found.urns) for key, found in item.propertyDependencies.items()},
    )


def _response(answer: Answer) -> Any:
    response = analyzer_pb2.AnalyzeResponse()
    response.diagnostics.extend(_diagnostic(finding) for finding in answer.findings)
    for name, reason in answer.not_applicable.items():
        response.not_applicable.add(policy_name=name, reason=reason)
    return response


def _diagnostic(finding: Finding) -> Any:
    rule = finding.rule
    return analyzer_pb2.AnalyzeDiagnostic(
        policyName=rule.name,
        policyPackName=pack.NAME,
        policyPackVersion=pack.VERSION,
        description=rule.title,
        message=_message(finding),
        urn=finding.urn,
        enforcementLevel=_LEVELS[finding.level],
        severity=_severity(rule),
    )


def _message(finding: Finding) -> str:
    rule, name = finding.rule, finding.urn.rpartition("::")[2]
    if finding.kind == "undecided":
        return _cannot_run(rule, finding.message)
    lines = [rule.title, f"{name}: {finding.message}" if name else finding.message]
    if finding.exemption:
        lines.append(
            f"Exempted until {finding.exemption.expires} by {finding.exemption.owner}: {finding.exemption.reason}"
        )
    else:
        lines.append(rule.remediation)
    return "\n".join(lines)


def _cannot_run(rule: Rule, reason: str) -> str:
    """Pulumi's own words for a rule that meets an unknown value."""
    return f"can't run policy '{rule.name}' from policy pack '{pack.NAME}@v{pack.VERSION}': {reason}"


def _applied(given: Any, changed: Any) -> Any:
    """The properties on the wire with what a remedy changed, so that secrets and unknown values stay as they are."""
    if isinstance(given, dict) and isinstance(changed, dict):
        if SIGNATURE in given and "value" in given:
            return {**given, "value": _applied(given["value"], changed)}
        return {key: _applied(given.get(key), value) for key, value in changed.items()}
    return given if read(given) == changed or not _plain(changed) else changed


def _plain(value: Any) -> bool:
    """Whether a value has nothing unknown in it."""
    if isinstance(value, dict):
        return all(map(_plain, value.values()))
    if isinstance(value, list):
        return all(map(_plain, value))
    return isinstance(value, (str, int, float, bool, type(None)))
