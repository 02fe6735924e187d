"""A client of the running sandbox that speaks HTTPS and JSON, and nothing of Azure's SDKs."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.conftest import SUBSCRIPTION, Sandbox

ARM, GRAPH, LOGIN = "https://management.azure.com", "https://graph.microsoft.com", "https://login.microsoftonline.com"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


def user_id(name: str) -> str:
    """The object id that the sandbox gives a seeded user or group."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name.lower()))


def unique(prefix: str) -> str:
    """A name that no other test uses: lower-case letters and digits."""
    return prefix + uuid.uuid4().hex[:12]


@dataclass
class Client:
    """Requests of one persona, or of an application with its secret."""

    sandbox: Sandbox
    persona: str = "owner"
    credentials: dict[str, str] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        env = self.sandbox.environment(self.persona)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.proxies = {"https": env["HTTPS_PROXY"]}
        self.session.verify = env["SSL_CERT_FILE"]
        self.tenant = env["AZURE_TENANT_ID"]
        self.credentials = self.credentials or {
            "client_id": env["AZURE_CLIENT_ID"],
            "client_secret": env["AZURE_CLIENT_SECRET"],
        }

    def sign_in(self, resource: str = ARM, tenant: str | None = None, **form: str) -> requests.Response:
        """Asks for a token."""
        body = {"grant_type": "client_credentials", "scope": f"{resource}/.default", **self.credentials, **form}
        return self.session.post(f"{LOGIN}/{tenant or self.tenant}/oauth2/v2.0/token", data=body)

    def token(self, resource: str = ARM) -> str:
        """A token for the resource, kept."""
        if resource not in self._tokens:
            answer = self.sign_in(resource)
            assert answer.status_code == 200, answer.text
            self._tokens[resource] = answer.json()["access_token"]
        return self._tokens[resource]

    def send(self, method: str, url: str, body: Any = None, **options: Any) -> requests.Response:
        """One request with the token for its host."""
        resource = url[: url.index("/", len("https://"))]
        headers = {"Authorization": f"Bearer {self.token(resource)}", **options.pop("headers", {})}
        return self.session.request(method, url, json=body, headers=headers, **options)

    def arm(
        self, method: str, path: str, body: Any = None, *, api: str = "2024-03-01", **query: str
    ) -> requests.Response:
        """A request to the resource manager; a path without a leading slash lies below the subscription."""
        full = path if path.startswith("/") else f"/subscriptions/{SUBSCRIPTION}/{path}"
        parameters = {"api-version": api, **{f"${name}": value for name, value in query.items()}}
        return self.send(method, ARM + full, body, params=parameters)

    def graph(self, method: str, path: str, body: Any = None, **query: str) -> requests.Response:
        """A request to Graph v1.0."""
        return self.send(
            method, f"{GRAPH}/v1.0{path}", body, params={f"${name}": value for name, value in query.items()}
        )

    def application(self) -> "tuple[str, Client]":
        """Makes an application with a secret; gives its service principal's id, and a client that signs in as it."""

        def made(path: str, body: Any, status: int = 201) -> Any:
            answer = self.graph("POST", path, body)
            assert answer.status_code == status, answer.text
            return answer.json()

        one = made("/applications", {"displayName": unique("app")})
        principal = made("/servicePrincipals", {"appId": one["appId"]})
        secret = made(f"/applications/{one['id']}/addPassword", {}, 200)["secretText"]
        credentials = {"client_id": one["appId"], "client_secret": secret}
        return principal["id"], Client(self.sandbox, credentials=credentials)

    def group(self, name: str | None = None) -> str:
        """Makes a resource group; gives its id."""
        name = name or unique("rg")
        made = self.arm("PUT", f"resourceGroups/{name}", {"location": "eastus2"})
        assert made.status_code == 201, made.text
        return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"

    def assign(self, scope: str, principal: str, role: str, name: str | None = None, **more: str) -> requests.Response:
        """Assigns a role, by its GUID."""
        role_id = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        body = {"properties": {"roleDefinitionId": role_id, "principalId": principal, **more}}
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name or uuid.uuid4()}"
        return self.arm("PUT", path, body, api="2022-04-01")


def error(answer: requests.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]
