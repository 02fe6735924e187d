"""Compute instances by time: their schedules for start and stop, and the shutdown of those that no job uses.

Source: learn.microsoft.com/azure/machine-learning/how-to-create-compute-instance.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sandbox.azure import clock
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.durations import seconds
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.names import WORKSPACES
from sandbox.azure.ml.triggers import triggers
from sandbox.azure.store import Store
from sandbox.azure.timers import Kind, due_time, forget_below, set_timer

SWITCH, IDLE = "instance power", "instance idle"
RUNNING, STOPPED = "Running", "Stopped"
STATES = {"Start": RUNNING, "Stop": STOPPED}
BY_USER, BY_SCHEDULE, BY_IDLENESS = "User", "Schedule", "IdleShutdown"
"""Triggers of an instance's last operation, as the model names them."""


def operation(name: str, by: str = BY_USER) -> Body:
    """An instance's last operation."""
    return {
        "operationName": name,
        "operationTime": clock.now().isoformat(),
        "operationStatus": "Succeeded",
        "operationTrigger": by,
    }


def switch(store: Store, instance: Body, action: str, by: str = BY_USER) -> None:
    """Starts or stops an instance; one that has no job is idle from then on."""
    inner = instance["properties"]["properties"]
    inner |= {"state": STATES[action], "lastOperation": operation(action, by)}
    store.put("resource", instance["id"].lower(), instance)
    count_idle(store, instance)


def count_idle(store: Store, instance: Body) -> None:
    """An instance is idle from now on, if it runs: it is stopped after the time that it names."""
    inner = instance["properties"]["properties"]
    idle = inner.get("idleTimeBeforeShutdown")
    counts = idle and inner["state"] == RUNNING
    set_timer(store, IDLE, _idle(instance), clock.now() + timedelta(seconds=seconds(idle)) if counts else None)


def count_running(store: Store, instances: Iterable[Body]) -> None:
    """What a sandbox that begins does: instances whose jobs ended with an earlier one are idle."""
    for instance in instances:
        if due_time(store, IDLE, _idle(instance)) is None:
            count_idle(store, instance)


def in_use(store: Store, instance: Body) -> None:
    """An instance has a job and is not idle."""
    set_timer(store, IDLE, _idle(instance), None)


def forget(store: Store, instance_id: str) -> None:
    """Drops the times of an instance that is deleted."""
    forget_below(store, instance_id.lower() + "/")


def checked(given: Any) -> Body | None:
    """An instance's schedules, each with its id.

    Raises:
        UserError: 400, naming the field.
    """
    if not given:
        return None
    found = given.get("computeStartStop") if isinstance(given, dict) else None
    if not isinstance(found, list):
        raise UserError(400, "'schedules' must have a list 'computeStartStop'.", "BadArgument")
    for one in found:
        if one.get("action") not in STATES:
            raise UserError(400, f"The action '{one.get('action')}' is not one of {', '.join(STATES)}.", "BadArgument")
        _trigger(one, clock.now())
    return {
        "computeStartStop": [
            {"id": str(uuid.uuid4()), "provisioningStatus": "Completed", "status": "Enabled", **one} for one in found
        ]
    }


def set_times(store: Store, instance: Body) -> None:
    """Sets the timers of a new instance."""
    count_idle(store, instance)
    now = clock.now()
    for number, one in enumerate(_schedules(instance)):
        due = _trigger(one, now).next(now) if one["status"] == "Enabled" else None
        set_timer(store, SWITCH, f"{instance['id'].lower()}/power/{number}", due)


def _schedules(instance: Body) -> list[Body]:
    found: list[Body] = (instance["properties"]["properties"].get("schedules") or {}).get("computeStartStop") or []
    return found


def _trigger(one: Body, now: datetime) -> triggers.Trigger:
    kind = str(one.get("triggerType"))
    return triggers.read(one.get(kind.lower()) or {}, kind, now)


def _idle(instance: Body) -> str:
    return f"{instance['id'].lower()}/idle"


def _instance(cloud: Cloud, key: str) -> Body | None:
    return cloud.store.get("resource", key.rpartition("/power/")[0] or key.removesuffix("/idle"))


def _next(cloud: Cloud, key: str, due: datetime) -> datetime | None:
    instance = _instance(cloud, key)
    return _trigger(_schedules(instance)[int(key.rpartition("/")[2])], due).next(due) if instance else None


def _switch(cloud: Cloud, key: str, due: datetime) -> None:
    del due
    instance = _instance(cloud, key)
    if instance is None:
        return
    action = str(_schedules(instance)[int(key.rpartition("/")[2])]["action"])
    if instance["properties"]["properties"]["state"] != STATES[action]:
        switch(cloud.store, instance, action, BY_SCHEDULE)


def _shut_down(cloud: Cloud, key: str, due: datetime) -> None:
    del due
    instance = _instance(cloud, key)
    if instance is not None:
        switch(cloud.store, instance, "Stop", BY_IDLENESS)


_READ = f"{WORKSPACES}/computes/read"
TIMERS = {SWITCH: Kind(_READ, _next, _switch), IDLE: Kind(_READ, lambda cloud, key, due: None, _shut_down)}
