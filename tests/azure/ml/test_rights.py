"""Rights: every operation of Azure ML, of the resource manager and the workspace's services, for who may not call it.

What the persona `lead` may is in another group alone. Operations are taken from the tables that serve them, so that a
new one is asked as well. For who may, each operation's own tests call it.
"""

import re
from collections.abc import Iterator
from typing import Any

import requests

from sandbox.azure.ml import arm
from sandbox.azure.ml.plane.app import ROUTES
from tests.azure.client import Client
from tests.azure.ml.harness import Team

NAMES = re.compile(r"\(\?P<(\w+)>[^)]*\)")
ACTION = re.compile(r"perform action 'Microsoft\.MachineLearningServices/workspaces/([\w/]+)'")
# What an action ends in, by method. POST and PATCH read, write, delete or do something of their own.
ENDS = {"GET": ("read",), "PUT": ("write",), "DELETE": ("delete", "write"), "HEAD": ("read",)}


def path_of(pattern: re.Pattern[str], **known: str) -> str:
    """A path that the pattern matches."""
    path = NAMES.sub(lambda name: known.get(name[1], "x"), pattern.pattern)
    return re.sub(r"\\(.)", r"\1", path)


def refusals(team: Team, lead: Client) -> Iterator[tuple[str, str, requests.Response]]:
    """What each operation answers to somebody who has no right in the workspace."""
    _, _, subscription, _, group, *_, workspace = team.id.split("/")
    known = {"subscription": subscription, "group": group, "workspace": workspace}
    for route in arm.routes():
        if route.pattern.groupindex.keys() >= known.keys():
            path = path_of(route.pattern, **known)
            yield route.method, path, lead.arm(route.method, path, api="2024-01-01-preview")
    stranger = team.by(lead)
    for service, routes in ROUTES.items():
        for one in routes:
            path = path_of(one.pattern)
            version = "managementfrontend" if service == "mferp" else "v1.0"
            yield one.method, f"{service}{path}", stranger.plane(one.method, f"{service}/{version}", path)


def test_a_stranger_may_call_no_operation(team: Team, lead: Client) -> None:
    """Each refusal names the action, whose end is the method's."""
    wrong: dict[str, Any] = {}
    count = 0
    for method, path, answer in refusals(team, lead):
        count += 1
        action = ACTION.search(answer.text)
        if answer.status_code != 403 or action is None or not action[1].endswith(ENDS.get(method, "")):
            wrong[f"{method} {path}"] = (answer.status_code, answer.text[:300])
    assert not wrong
    assert count > 150  # the tables are not empty
