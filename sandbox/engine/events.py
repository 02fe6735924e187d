"""The events of the engine while it works: those that display, `--json` and tests read, in Pulumi's own shapes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sandbox.engine.state.resources import Resource
from sandbox.engine.values import Map, masked


class StepFacts(Protocol):
    """The facts of a step that events contain.

    `keys` are the properties that a replacement is for, `diffs` those that differ. `logical` steps are counted.
    """

    op: str
    old: Resource | None
    new: Resource | None
    logical: bool
    keys: list[str]
    diffs: list[str]
    detailed_diff: dict[str, Map] | None

    @property
    def res(self) -> Resource:
        """The resource as it will be, or as it was if it is deleted."""

    @property
    def urn(self) -> str:
        """The resource's URN."""


@dataclass(frozen=True)
class StepEvent:
    """A step begins (`resourcePreEvent`), has ended or told outputs (`resOutputsEvent`), or has failed."""

    kind: str
    step: StepFacts
    op: str
    planning: bool


@dataclass(frozen=True)
class Diagnostic:
    """A message: `severity` is info, info#err (stderr), warning or error; `ephemeral` ones are not kept."""

    severity: str
    message: str
    urn: str = ""
    ephemeral: bool = False


@dataclass(frozen=True)
class Violation:
    """A policy is broken; `level` is advisory or mandatory."""

    urn: str
    policy: str
    pack: str
    version: str
    level: str
    message: str


@dataclass(frozen=True)
class Remediation:
    """A policy has rewritten a resource's inputs."""

    urn: str
    policy: str
    pack: str
    version: str
    before: Map
    after: Map


@dataclass(frozen=True)
class Prelude:
    """The configuration the operation starts with, secrets masked."""

    config: Mapping[str, str]


@dataclass(frozen=True)
class Summary:
    """The number of changed resources, by operation."""

    changes: Mapping[str, int]
    seconds: float
    planning: bool
    packs: Mapping[str, str] = field(default_factory=dict)  # name -> version


Event = StepEvent | Diagnostic | Violation | Remediation | Prelude | Summary
Sink = Callable[[Event], None]


def to_json(event: Event, sequence: int = 0) -> Map:
    """The event as Pulumi's `apitype.EngineEvent`: what `--json` prints."""
    return {"sequence": sequence, "timestamp": int(time.time()), **_body(event)}


def _body(event: Event) -> Map:  # noqa: PLR0911 (one a kind)
    body: Map
    match event:
        case StepEvent(kind="resOpFailedEvent"):
            return {event.kind: {"metadata": _metadata(event), "status": 0, "steps": 0}}
        case StepEvent():
            return {event.kind: {"metadata": _metadata(event), **({"planning": True} if event.planning else {})}}
        case Diagnostic():
            body = {"urn": event.urn, "message": event.message, "color": "never", "severity": event.severity}
            return {"diagnosticEvent": {**body, "ephemeral": event.ephemeral}}
        case Violation():
            body = {"resourceUrn": event.urn, "message": event.message, "color": "never", "policyName": event.policy}
            pack = {
                "policyPackName": event.pack,
                "policyPackVersion": event.version,
                "policyPackVersionTag": event.version,
            }
            return {"policyEvent": {**body, **pack, "enforcementLevel": event.level}}
        case Remediation():
            body = {
                "resourceUrn": event.urn,
                "color": "never",
                "policyName": event.policy,
                "policyPackName": event.pack,
            }
            return {
                "policyRemediationEvent": {
                    **body,
                    "policyPackVersion": event.version,
                    "before": masked(event.before),
                    "after": masked(event.after),
                }
            }
        case Prelude():
            return {"preludeEvent": {"config": dict(event.config)}}
        case Summary():
            body = {
                "maybeCorrupt": False,
                "durationSeconds": round(event.seconds),
                "resourceChanges": dict(event.changes),
            }
            return {
                "summaryEvent": {
                    **body,
                    "policyPacks": dict(event.packs),
                    **({"isPreview": True} if event.planning else {}),
                }
            }


def _metadata(event: StepEvent) -> Map:
    step = event.step
    metadata: Map = {
        "op": event.op,
        "urn": step.urn,
        "type": step.res.type,
        "old": state_to_json(step.old),
        "new": state_to_json(step.new),
    }
    if step.keys:
        metadata["keys"] = step.keys
    if step.diffs:
        metadata["diffs"] = step.diffs
    metadata["detailedDiff"] = step.detailed_diff
    if step.logical:
        metadata["logical"] = True
    return {**metadata, "provider": step.res.provider}


def state_to_json(resource: Resource | None) -> Map | None:
    """One side of a step, secrets masked."""
    if resource is None:
        return None
    flags = {
        "custom": resource.custom,
        "delete": resource.delete,
        "protect": resource.protect,
        "retainOnDelete": resource.retain_on_delete,
    }
    shown: Map = {
        "type": resource.type,
        "urn": resource.urn,
        **{k: v for k, v in flags.items() if v},
        "id": resource.id,
        "parent": resource.parent,
    }
    shown |= {"inputs": masked(resource.inputs), "outputs": masked(resource.outputs), "provider": resource.provider}
    return {**shown, **({"initErrors": resource.init_errors} if resource.init_errors else {})}
