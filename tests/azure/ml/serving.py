"""Online endpoints by plain requests: assets uploaded, deployments made and awaited, requests scored."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from sandbox.azure.access.tokens import Caller, Tokens
from tests.azure.client import Client, unique
from tests.azure.ml import harness
from tests.azure.ml.harness import REGION, SCIENTIST, Team

API = "2023-04-01-preview"
CONDA = Path(__file__).parent / "environments" / "serving.yml"
ECHO = """
import json, os
def init():
    pass
def run(body):
    return {"sent": json.loads(body), "word": os.environ.get("WORD"), "pid": os.getpid()}
"""
DEADLINE = 90.0


def uploaded(team: Team, files: dict[str, str | bytes]) -> str:
    """The address of a container with these files, which the data scientist uploads."""
    path = f"/codes/{unique('up')}/versions/1/startPendingUpload"
    scientist = team.by(Client(team.azure.sandbox, "scientist"))
    given = scientist.arm("POST", path, {}).json()["blobReferenceForConsumption"]
    address, _, signature = given["credential"]["sasUri"].partition("?")
    for name, content in files.items():
        headers = {"x-ms-blob-type": "BlockBlob"}
        put = team.azure.session.put(f"{address}/{name}?{signature}", data=content, headers=headers)
        assert put.status_code == 201, put.text
    return str(address)


def registered(team: Team, plural: str, properties: dict[str, Any]) -> str:
    """The id of a new version."""
    path = f"/{plural}/{unique('x')}/versions/1"
    made = team.arm("PUT", path, {"properties": properties})
    assert made.status_code == 201, made.text
    return team.id + path


def code(team: Team, script: str) -> str:
    """The id of a code with a script `score.py`."""
    return registered(team, "codes", {"codeUri": uploaded(team, {"src/score.py": script}) + "/src"})


def environment(team: Team, conda: str | None = None) -> str:
    """The id of an environment; by default of one with the inference server."""
    return registered(team, "environments", {"image": "python:3.11", "condaFile": conda or CONDA.read_text()})


def outcome(team: Team, accepted: requests.Response) -> dict[str, Any]:
    """How an operation ended."""
    assert accepted.status_code in (200, 201, 202), accepted.text
    return harness.outcome(team.azure, accepted, DEADLINE)


@dataclass
class Endpoint:
    """An online endpoint of a team."""

    team: Team
    name: str

    @property
    def path(self) -> str:
        """Its path below the workspace."""
        return f"/onlineEndpoints/{self.name}"

    def arm(self, method: str, path: str = "", body: Any = None) -> requests.Response:
        """A request to the resource manager."""
        return self.team.arm(method, self.path + path, body, API)

    def get(self, path: str = "") -> dict[str, Any]:
        """The endpoint, or a deployment, as it is shown."""
        found: dict[str, Any] = self.arm("GET", path).json()
        return found

    def put(self, **properties: Any) -> requests.Response:
        """Makes or changes it."""
        identity = {"type": "SystemAssigned"}
        body = {"location": REGION, "identity": identity, "properties": {"authMode": "Key", **properties}}
        return self.arm("PUT", "", body)

    def deploy(self, name: str, capacity: int = 1, **properties: Any) -> requests.Response:
        """Makes or changes a deployment."""
        given = {"endpointComputeType": "Managed", "instanceType": "Standard_F2s_v2", **properties}
        body = {"location": REGION, "sku": {"name": "Default", "capacity": capacity}, "properties": given}
        return self.arm("PUT", f"/deployments/{name}", body)

    def served(self, name: str, script: str, **properties: Any) -> dict[str, Any]:
        """Deploys a script and waits; gives the operation's end."""
        given: dict[str, Any] = {"codeConfiguration": {"codeId": code(self.team, script), "scoringScript": "score.py"}}
        return outcome(self.team, self.deploy(name, **given, **properties))

    def traffic(self, **weights: int) -> None:
        """Sets the traffic."""
        done = self.put(traffic=weights)
        assert done.status_code == 200, done.text

    def logs(self, name: str, container: str = "InferenceServer", tail: int = 500) -> str:
        """The log of a deployment's container."""
        body = {"containerType": container, "tail": tail}
        return str(self.arm("POST", f"/deployments/{name}/getLogs", body).json()["content"])

    def key(self, which: str = "primary") -> str:
        """A key."""
        return str(self.arm("POST", "/listKeys").json()[f"{which}Key"])

    def score(
        self, body: Any = None, *, secret: str | None = None, to: str = "/score", **options: Any
    ) -> requests.Response:
        """A request to the endpoint, with its key if no other secret is given."""
        headers = {"Authorization": f"Bearer {self.key() if secret is None else secret}", **options.pop("headers", {})}
        url = f"https://{self.name}.{REGION}.inference.ml.azure.com{to}"
        method = options.pop("method", "POST")
        return self.team.azure.session.request(method, url, json=body, headers=headers, **options)


def expired(team: Team, audience: str) -> str:
    """A token of the data scientist that was good until a moment ago, signed with the sandbox's own key."""
    tokens = Tokens(team.azure.sandbox.directory, team.azure.tenant)
    return tokens.issue(audience, Caller(SCIENTIST, "x"), exp=int(time.time()) - 1)[0]


def endpoint(team: Team, **properties: Any) -> Endpoint:
    """A new endpoint, ready."""
    made = Endpoint(team, unique("ep"))
    assert outcome(team, made.put(**properties))["status"] == "Succeeded"
    return made
