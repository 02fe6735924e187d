"""The operations of schedules: put, get, list, delete, trigger now.

Sources: recordings, listed in docs/fidelity/clock.md; what they do not show is *assumed* there.
"""

import re
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from sandbox.azure import clock
from sandbox.azure.arm.core import Body, Call, system_data
from sandbox.azure.arm.resources import Route
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml import mfeoperations, operations
from sandbox.azure.ml.beyond import instead
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.jobfields import object_of
from sandbox.azure.ml.jobs.kinds import kind_of
from sandbox.azure.ml.schedules import firing
from sandbox.azure.ml.schedules.present import present
from sandbox.azure.ml.scope import Scope, page, properties_of, workspace_route
from sandbox.azure.ml.triggers import triggers
from sandbox.azure.timers import forget_below, set_timer

PLURAL = "schedules"
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_.]{0,217}")  # a job's name is this, a hyphen and a GUID
ACTION = "CreateJob"
ACTIVE = "Cannot delete an active trigger. Disable the schedule '{}' first."  # begins as azure-ai-ml's own tests expect


def _put(scope: Scope, call: Call, match: re.Match[str]) -> Response:
    name = match["name"]
    if not NAME.fullmatch(name):
        text = f"'{name}' is no name of a schedule: use up to 218 letters, digits, '-', '_' and '.'."
        raise UserError(400, text, "BadArgument")
    sent = properties_of(call)
    action, trigger = _action(sent), object_of(sent, "trigger")
    now = clock.now()
    times = triggers.read(trigger, str(trigger.get("triggerType")), now)
    old = scope.get(firing.KIND, PLURAL, name)
    schedule: Body = {
        "id": f"{scope.id}/{PLURAL}/{name}",
        "name": name,
        "workspace": scope.id,
        "properties": {
            "description": sent.get("description"),
            "tags": object_of(sent, "tags"),
            "properties": object_of(sent, "properties"),
            "displayName": sent.get("displayName"),
            "isEnabled": sent.get("isEnabled") is not False,
            "trigger": triggers.with_start(trigger, now),
            "action": action,
        },
        "submitter": {"objectId": scope.caller.object_id, "clientId": scope.caller.client_id},
        "systemData": system_data(scope.cloud, scope.caller, old),
    }
    at_once = None if trigger.get("startTime") else triggers.full_minute(now)
    due = (at_once or times.next(now)) if schedule["properties"]["isEnabled"] else None
    with scope.cloud.store.transaction():
        scope.put(firing.KIND, schedule, PLURAL, name)
        set_timer(scope.cloud.store, firing.TIMER, scope.key(PLURAL, name), due)
        operation = mfeoperations.begin(call, mfeoperations.SCHEDULE, scope.workspace)
        operations.working(scope.cloud, schedule, "Creating")
    shown = present(schedule, "Creating", call.api_version, sent=trigger)
    location = f"{call.base_url}{schedule['id']}"
    return mfeoperations.accepted(call, operation, shown, status=201, location=location)


def _action(sent: Body) -> Body:
    """What the schedule does: only jobs are emulated, of the types that can be submitted."""
    action = object_of(sent, "action")
    kind = action.get("actionType")
    if kind != ACTION:
        text = f"The sandbox emulates schedules with the action '{ACTION}' alone, not '{kind}': {instead(str(kind))}."
        raise UserError(400, text, "BadArgument", target="properties.action.actionType")
    definition = object_of(action, "jobDefinition")
    kind_of(definition)
    return {"actionType": ACTION, "jobDefinition": definition}


def _find(scope: Scope, name: str) -> Body:
    found = scope.get(firing.KIND, PLURAL, name)
    if found is None:
        raise UserError(404, f"Resource Trigger {name} not found", "NotFound")
    return found


def _shown(scope: Scope, call: Call, schedule: Body) -> Body:
    state = operations.provisioning_state(scope.cloud, schedule, "Succeeded")
    return present(schedule, state, call.api_version)


def _get(scope: Scope, call: Call, match: re.Match[str]) -> Body:
    return _shown(scope, call, _find(scope, match["name"]))


def _list(scope: Scope, call: Call, match: re.Match[str]) -> Body:
    """The enabled ones, where the client does not ask for others."""
    del match
    view = call.query.get("listViewType", "EnabledOnly").lower()
    found = [
        one
        for one in scope.list(firing.KIND, PLURAL)
        if view == "all" or one["properties"]["isEnabled"] == (view != "disabledonly")
    ]
    answer = page(found, call)
    answer["value"] = [_shown(scope, call, one) for one in answer["value"]]
    return answer


def _delete(scope: Scope, call: Call, match: re.Match[str]) -> Response:
    name = match["name"]
    found = scope.get(firing.KIND, PLURAL, name)
    if found is None:
        return Response(status_code=204)
    if found["properties"]["isEnabled"]:
        raise UserError(400, ACTIVE.format(name), "BadArgument")
    store, key = scope.cloud.store, scope.key(PLURAL, name)
    with store.transaction():
        store.delete(firing.KIND, key)
        set_timer(store, firing.TIMER, key, None)
        operation = mfeoperations.begin(call, mfeoperations.SCHEDULE, scope.workspace, running="Deleting")
    return mfeoperations.accepted(call, operation, None, status=202)


def _trigger(scope: Scope, call: Call, match: re.Match[str]) -> Body:
    """Submits the job now, in the caller's name, for the time that the body says."""
    schedule = _find(scope, match["name"])
    return {
        "scheduleActionType": ACTION,
        "submissionId": firing.fire(scope, schedule, _time(call.body.get("scheduleTime"))),
    }


def _time(text: Any) -> datetime:
    if not text:
        return clock.now()
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as error:
        refusal = f"'{text}' is no time: use YYYY-MM-DDThh:mm:ss."
        raise UserError(400, refusal, "BadArgument", target="scheduleTime") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def forget(cloud: Cloud, workspace_id: str) -> None:
    """Drops a removed workspace's schedules."""
    prefix = workspace_id.lower() + "/"
    cloud.store.clear(firing.KIND, prefix)
    forget_below(cloud.store, prefix)


def routes() -> list[Route]:
    """The routes of schedules."""
    one = f"/{PLURAL}/{{name}}"
    return [
        workspace_route("GET", f"/{PLURAL}", "schedules/read", _list),
        workspace_route("GET", one, "schedules/read", _get),
        workspace_route("PUT", one, "schedules/write", _put),
        workspace_route("DELETE", one, "schedules/delete", _delete),
        workspace_route("POST", f"{one}/trigger", "schedules/write", _trigger),
    ]
