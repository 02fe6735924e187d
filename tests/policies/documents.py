"""Stacks in the three forms that the offline check reads, made of the same resources."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

STACK_URN = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:dev::shop::{token}::{name}"


def resource(token: str, name: str, inputs: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A resource as a state has it."""
    return {"urn": urn(token, name), "type": token, "custom": True, "id": f"/{name}", "inputs": inputs, **more}


def _whole(resources: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [{"urn": STACK_URN, "type": "pulumi:pulumi:Stack", "custom": False}, *resources]


def state(resources: Sequence[Mapping[str, Any]]) -> str:
    """As `pulumi stack export` writes it."""
    return json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": _whole(resources)}}, indent=2)


def preview(resources: Sequence[Mapping[str, Any]]) -> str:
    """As `pulumi preview --json` writes it."""
    steps = [{"op": "create", "urn": one["urn"], "newState": one} for one in _whole(resources)]
    return json.dumps({"config": {}, "steps": steps, "changeSummary": {"create": len(steps)}})


def events(resources: Sequence[Mapping[str, Any]]) -> str:
    """As `--event-log` writes it."""
    found = []
    for one in _whole(resources):
        metadata = {"op": "create", "urn": one["urn"], "type": one["type"], "old": None, "new": one}
        found += [{"resourcePreEvent": {"metadata": metadata}}, {"resOutputsEvent": {"metadata": metadata}}]
    found.append({"summaryEvent": {"resourceChanges": {"create": len(resources) + 1}}})
    return "".join(json.dumps({"sequence": number, **event}) + "\n" for number, event in enumerate(found))


FORMS = {"state": state, "preview": preview, "events": events}
