"""Entra ID's token endpoints: login.microsoftonline.com.

Client credentials only: a persona's, or an application's: by a secret that was made through Graph, or by the token of
a pipeline that it trusts.
Sources: learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow and reference-error-codes.
"""

import base64
import hmac
import json
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import astuple
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.access.tenant import Persona, load_personas, object_id, register_personas
from sandbox.azure.access.tokens import KEY_ID, Caller
from sandbox.azure.activity.record import note_caller
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import ServiceError
from sandbox.azure.front.request import Request
from sandbox.azure.front.routing import Route, Routes, compile_path
from sandbox.azure.front.service import Service
from sandbox.azure.identity.assertions import TYPE, AssertionRefusedError, Pipelines
from sandbox.azure.identity.graph.credentials import federated, secret_hash
from sandbox.azure.identity.graph.objects import APPLICATIONS, PRINCIPALS, by_key, now

HOST = "https://login.microsoftonline.com"
FIRST_PARTY = re.compile(
    r"https://(management\.azure\.com|management\.core\.windows\.net|graph\.microsoft\.com|storage\.azure\.com"
    r"|vault\.azure\.net|ml\.azure\.com|api\.loganalytics\.(io|azure\.com)|[a-z0-9-]+\.(blob|dfs)\.core\.windows\.net|[a-z0-9-]+\.vault\.azure\.net)/?"
)


class EntraError(ServiceError):
    """A refusal of the token endpoint.

    Args:
        status: HTTP status.
        error: OAuth's error, such as `invalid_client`.
        code: AADSTS number.
        message: What it means.
    """

    def __init__(self, status: int, error: str, code: int, message: str) -> None:
        super().__init__(status, error, message)
        self.number = code

    def body(self) -> dict[str, Any]:
        """The error's JSON, as OAuth 2.0 has it (RFC 6749, section 5.2), with Entra's additions."""
        trace, now = str(uuid.uuid4()), clock.real().strftime("%Y-%m-%d %H:%M:%SZ")
        text = f"AADSTS{self.number}: {self.message} Trace ID: {trace} Correlation ID: {trace} Timestamp: {now}"
        return {
            "error": self.code,
            "error_description": text,
            "error_codes": [self.number],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": trace,
            "error_uri": f"{HOST}/error?code={self.number}",
        }


Operation = Callable[[Request, Mapping[str, str]], Awaitable[Response]]
"""Gets the request and what its path names."""


class Entra(Service[Request]):
    """Answers for login.microsoftonline.com: issues tokens for the tenant's clients."""

    request_type = Request
    max_body = 64 * 1024

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._tenant = cloud, cloud.seed["tenantId"]
        personas = load_personas(cloud.directory, cloud.seed)
        register_personas(cloud.store, personas.values())
        self._pipelines = Pipelines(cloud.directory)
        self._personas = {persona.client_id: persona for persona in personas.values()}
        metadata = ".well-known/openid-configuration"
        table: list[tuple[str, str, Operation]] = [
            ("GET", "/common/discovery/instance", self._instance_discovery),
            ("GET", f"/{{tenant}}/{metadata}", self._openid_configuration),
            ("GET", f"/{{tenant}}/v2.0/{metadata}", self._openid_configuration),
            ("GET", "/{tenant}/discovery/keys", self._keys),
            ("GET", "/{tenant}/discovery/v2.0/keys", self._keys),
            ("POST", "/{tenant}/oauth2/token", self._token),
            ("POST", "/{tenant}/oauth2/v2.0/token", self._token),
        ]
        self._routes = Routes(Route(method, compile_path(path), act) for method, path, act in table)

    async def answer(self, request: Request) -> Response:
        """Finds the endpoint and lets it answer."""
        operation = self._routes.find("GET" if request.method == "HEAD" else request.method, request.path)
        if operation is None:
            raise EntraError(404, "invalid_request", 900561, "The endpoint is not one that the sandbox emulates.")
        route, match = operation
        return await route.handle(request, match.groupdict())

    def failure(self, error: Exception) -> ServiceError:
        """Returns the refusal in Entra's words."""
        told = super().failure(error)
        return EntraError(told.status, "server_error", 90033, told.message)

    def bad_body(self, status: int, problem: str) -> ServiceError:
        """Returns the refusal in Entra's words."""
        return EntraError(400, "invalid_request", 900144, "The request body is too large.")

    async def _token(self, request: Request, named: Mapping[str, str]) -> Response:
        """`POST /{tenant}/oauth2/v2.0/token` and `/{tenant}/oauth2/token`."""
        self._check_tenant(named["tenant"])
        return self._issue(await self._form(request), version2="v2.0" in request.path)

    async def _form(self, request: Request) -> dict[str, str]:
        """The form's fields, and the client of a Basic header."""
        raw = await self.body(request)
        fields = dict(parse_qsl(raw.decode("utf-8", "replace")))
        scheme, _, coded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                client, _, secret = base64.b64decode(coded).decode().partition(":")
            except ValueError:
                return fields
            fields = {"client_id": client, "client_secret": secret, **fields}
        return fields

    def _check_tenant(self, tenant: str) -> None:
        if tenant.lower() not in (self._tenant, self._cloud.seed["domain"]):
            raise EntraError(
                400,
                "invalid_request",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into "
                "the "
                "correct cloud.",
            )

    def _issue(self, form: dict[str, str], *, version2: bool) -> JSONResponse:
        grant = form.get("grant_type", "")
        if not grant:
            raise _missing("grant_type")
        if grant != "client_credentials":
            raise EntraError(
                400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'."
            )
        claims = self._authenticate(form)
        audience = self._audience(form, version2=version2)
        caller = Caller(claims.pop("oid"), claims.pop("appid"))
        note_caller("client assertion" if "client_assertion" in form else "client secret", *astuple(caller))
        token, lifetime = self._cloud.tokens.issue(audience, caller, **claims)
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": token,
        }
        if not version2:
            now = clock.real_seconds()
            answer |= {name: str(answer[name]) for name in ("expires_in", "ext_expires_in")}
            answer |= {"expires_on": str(now + lifetime), "not_before": str(now), "resource": audience}
        return JSONResponse(answer, headers={"Cache-Control": "no-store, no-cache"})

    def _authenticate(self, form: dict[str, str]) -> dict[str, str]:
        client_id = form.get("client_id", "").lower()
        if not client_id:
            raise _missing("client_id")
        persona = self._personas.get(client_id)
        application = by_key(self._cloud, APPLICATIONS, client_id)
        if persona is None and application is None and self._managed_identity(client_id) is None:
            raise EntraError(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory "
                f"'{self._cloud.seed['domain']}'. "
                "This can happen if the application has not been installed by the administrator of the tenant or "
                "consented "
                "to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
            )
        if "client_assertion" in form:
            return self._federated(application or {}, client_id, form)
        secret = form.get("client_secret", "")
        if not secret:
            raise EntraError(
                401,
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            )
        return self._persona(persona, secret) if persona else self._application(application or {}, secret)

    @staticmethod
    def _persona(persona: Persona, secret: str) -> dict[str, str]:
        if not hmac.compare_digest(persona.secret.encode(), secret.encode()):
            raise _bad_secret(persona.client_id)
        return {
            "oid": object_id(persona.user),
            "appid": persona.client_id,
            "idtyp": "user",
            "upn": persona.user,
            "unique_name": persona.user,
            "name": persona.user,
        }

    def _application(self, application: dict[str, Any], secret: str) -> dict[str, str]:
        client_id = application["appId"]
        principal = by_key(self._cloud, PRINCIPALS, client_id)
        credentials = [*application["passwordCredentials"], *(principal or {}).get("passwordCredentials", [])]
        given = secret_hash(secret)
        matching = [credential for credential in credentials if hmac.compare_digest(credential["_hash"], given)]
        if not matching:
            raise _bad_secret(client_id)
        if all(credential["endDateTime"] <= now() for credential in matching):
            raise EntraError(
                401,
                "invalid_client",
                7000222,
                f"The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create "
                "new "
                "keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials.",
            )
        return self._itself(client_id, principal)

    def _federated(self, application: dict[str, Any], client_id: str, form: dict[str, str]) -> dict[str, str]:
        """The claims of the application that trusts a pipeline's token; a persona's application trusts none."""
        if form.get("client_assertion_type") != TYPE:
            raise _missing("client_assertion_type")
        try:
            trusted = federated(application) if application else self._trusted_by_identity(client_id)
            self._pipelines.check(form["client_assertion"], client_id, trusted)
        except AssertionRefusedError as refused:
            raise EntraError(401, "invalid_client", refused.code, refused.message) from refused
        return self._itself(client_id, by_key(self._cloud, PRINCIPALS, client_id))

    def _managed_identity(self, client_id: str) -> dict[str, Any] | None:
        """The service principal of the managed identity of this client id, or None."""
        principal = by_key(self._cloud, PRINCIPALS, client_id)
        return principal if principal and principal["servicePrincipalType"] == "ManagedIdentity" else None

    def _trusted_by_identity(self, client_id: str) -> list[dict[str, Any]]:
        """The federated credentials of a user-assigned identity."""
        principal = self._managed_identity(client_id)
        if principal is None:
            return []
        identity_id = str(principal["alternativeNames"][1])
        below = f"{identity_id}/federatedIdentityCredentials/".lower()
        return [document["properties"] for document in self._cloud.store.list("resource", below)]

    def _itself(self, client_id: str, principal: dict[str, Any] | None) -> dict[str, str]:
        if principal is None:
            raise EntraError(
                400,
                "unauthorized_client",
                7000229,
                f"The client application {client_id} is missing service principal in the tenant {self._tenant}.",
            )
        return {"oid": principal["id"], "appid": client_id, "idtyp": "app"}

    def _audience(self, form: dict[str, str], *, version2: bool) -> str:
        if not version2:
            resource = form.get("resource", "")
            if not resource:
                raise _missing("resource")
            return self._known(resource)
        scope = form.get("scope", "").strip()
        if not scope:
            raise _missing("scope")
        wanted = [part for part in scope.split() if part not in ("openid", "profile", "offline_access")]
        if len(wanted) != 1 or not wanted[0].endswith("/.default"):
            raise EntraError(
                400,
                "invalid_scope",
                1002012,
                f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
                "with "
                "/.default suffixed to the resource identifier (application ID URI).",
            )
        # `https://management.core.windows.net//.default` asks for the audience with a slash at its end.
        return self._known(wanted[0].removesuffix("/.default"))

    def _known(self, resource: str) -> str:
        own = {application["appId"] for application in self._cloud.store.list("application")}
        if FIRST_PARTY.fullmatch(resource.lower()) or resource.removeprefix("api://") in own:
            return resource
        raise EntraError(
            400,
            "invalid_resource",
            500011,
            f"The resource principal named {resource} was not found in the tenant named {self._cloud.seed['domain']}. "
            "This "
            "can happen if the application has not been installed by the administrator of the tenant or consented to "
            "by "
            "any user in the tenant. You might have sent your authentication request to the wrong tenant.",
        )

    async def _openid_configuration(self, request: Request, named: Mapping[str, str]) -> Response:
        """The tenant's metadata; `common` and `organizations` too."""
        tenant = named["tenant"]
        if tenant not in ("common", "organizations"):
            try:
                self._check_tenant(tenant)
            except EntraError as error:
                raise EntraError(400, "invalid_tenant", error.number, error.message) from error
        base = f"{HOST}/{tenant}"
        version = "/v2.0" if "v2.0" in request.path else ""
        issuing = "{tenantid}" if tenant in ("common", "organizations") else self._tenant
        return JSONResponse(
            {
                "token_endpoint": f"{base}/oauth2{version}/token",
                "authorization_endpoint": f"{base}/oauth2{version}/authorize",
                "device_authorization_endpoint": f"{base}/oauth2{version}/devicecode",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "jwks_uri": f"{base}/discovery{version}/keys",
                "issuer": f"{HOST}/{issuing}/v2.0" if version else f"https://sts.windows.net/{issuing}/",
                "response_modes_supported": ["query", "fragment", "form_post"],
                "response_types_supported": ["code", "id_token", "code id_token", "token id_token", "token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid"],
                "tenant_region_scope": "NA",
                "cloud_instance_name": "microsoftonline.com",
                "cloud_graph_host_name": "graph.windows.net",
                "msgraph_host": "graph.microsoft.com",
            }
        )

    async def _instance_discovery(self, request: Request, named: Mapping[str, str]) -> Response:
        """The host names of Entra."""
        tenant = self._tenant
        return JSONResponse(
            {
                "tenant_discovery_endpoint": f"{HOST}/{tenant}/v2.0/.well-known/openid-configuration",
                "api-version": "1.1",
                "metadata": [
                    {
                        "preferred_network": "login.microsoftonline.com",
                        "preferred_cache": "login.windows.net",
                        "aliases": [
                            "login.microsoftonline.com",
                            "login.windows.net",
                            "login.microsoft.com",
                            "sts.windows.net",
                        ],
                    }
                ],
            }
        )

    async def _keys(self, request: Request, named: Mapping[str, str]) -> Response:
        """The public key of the tokens."""
        return JSONResponse({"keys": [_jwk(self._cloud.tokens.public_key)]})


def _missing(parameter: str) -> EntraError:
    text = f"The request body must contain the following parameter: '{parameter}'."
    return EntraError(400, "invalid_request", 900144, text)


def _bad_secret(client_id: str) -> EntraError:
    return EntraError(
        401,
        "invalid_client",
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        "the "
        f"client secret ID, for a secret added to app '{client_id}'.",
    )


def _jwk(key: RSAPublicKey) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(key))
    return {**shown, "use": "sig", "kid": KEY_ID, "alg": "RS256"}
