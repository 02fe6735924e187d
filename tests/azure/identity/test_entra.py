"""Tokens: for whom, for what, and how Entra words its refusals."""

import base64
import hmac
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import jwt
import msal  # type: ignore[import-untyped]
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, DefaultAzureCredential, EnvironmentCredential
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.azure.identity.assertions import AUDIENCE, TYPE, Pipelines
from tests.azure.client import ARM, GRAPH, LOGIN, Client, user_id
from tests.conftest import SUBSCRIPTION, Sandbox

USER2 = "4edeb8f0-28be-5113-84b0-29b680766305"


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


# ---- who gets a token


@pytest.mark.parametrize(
    ("persona", "user"),
    [("owner", "user@domain.com"), ("lead", "admin1@site.com"), ("scientist", "user2@site.com")],
)
def test_a_personas_token_is_its_users(azure: Client, persona: str, user: str) -> None:
    client = Client(azure.sandbox, persona)
    found = claims(client.token())
    assert found["oid"] == user_id(user)
    assert found["upn"] == user
    assert found["appid"] == client.credentials["client_id"]
    assert found["aud"] == ARM
    assert found["tid"] == azure.tenant
    assert found["exp"] - time.time() == pytest.approx(3600, abs=60)


def test_a_token_is_signed_with_the_published_key(azure: Client) -> None:
    for path in ("/v2.0/.well-known/openid-configuration", "/.well-known/openid-configuration"):
        metadata = azure.session.get(f"{LOGIN}/{azure.tenant}{path}").json()
        keys = jwt.PyJWKSet.from_dict(azure.session.get(metadata["jwks_uri"]).json())
        token = azure.token()
        key = keys[jwt.get_unverified_header(token)["kid"]]
        # The resource manager's tokens are of version 1.0, whichever endpoint they were asked at.
        issuer = f"https://sts.windows.net/{azure.tenant}/"
        assert jwt.decode(token, key, algorithms=["RS256"], audience=ARM, issuer=issuer)


@pytest.mark.parametrize("tenant", ["TENANT", "common", "organizations"])
def test_the_metadata_names_the_issuer_of_its_version(azure: Client, tenant: str) -> None:
    """MSAL Go 1.5.0 and newer refuse to sign in where the issuer is not the authority's own."""
    asked = azure.tenant if tenant == "TENANT" else tenant
    issuing = azure.tenant if tenant == "TENANT" else "{tenantid}"
    issuers = [
        azure.session.get(f"{LOGIN}/{asked}{version}/.well-known/openid-configuration").json()["issuer"]
        for version in ("/v2.0", "")
    ]
    assert issuers == [f"{LOGIN}/{issuing}/v2.0", f"https://sts.windows.net/{issuing}/"]


def test_the_seeds_ids_are_the_same_in_every_sandbox() -> None:
    assert user_id("User2@Site.com") == user_id("user2@site.com") == USER2


def test_the_audience_is_the_resource_as_asked(azure: Client) -> None:
    twice = azure.sign_in("https://management.core.windows.net/").json()["access_token"]
    assert claims(twice)["aud"] == "https://management.core.windows.net/"
    headers = {"Authorization": f"Bearer {twice}"}
    assert azure.session.get(f"{ARM}/subscriptions?api-version=2022-12-01", headers=headers).status_code == 200
    body = {"grant_type": "client_credentials", "resource": f"{ARM}/", **azure.credentials}
    old = azure.session.post(f"{LOGIN}/{azure.tenant}/oauth2/token", data=body).json()
    assert claims(old["access_token"])["aud"] == f"{ARM}/"
    assert int(old["expires_on"]) - time.time() == pytest.approx(3600, abs=60)
    basic = (azure.credentials["client_id"], azure.credentials["client_secret"])
    body = {"grant_type": "client_credentials", "scope": f"{ARM}/.default"}
    answer = azure.session.post(f"{LOGIN}/site.com/oauth2/v2.0/token", data=body, auth=basic)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "code", "kind"),
    [
        ({"client_secret": "wrong"}, 401, 7000215, "invalid_client"),
        ({"client_secret": ""}, 401, 7000218, "invalid_client"),
        ({"client_assertion": "x"}, 400, 900144, "invalid_request"),
        ({"client_assertion": "x", "client_assertion_type": TYPE}, 401, 70025, "invalid_client"),
        ({"client_id": str(uuid.uuid4())}, 400, 700016, "unauthorized_client"),
        ({"client_id": ""}, 400, 900144, "invalid_request"),
        ({"grant_type": ""}, 400, 900144, "invalid_request"),
        ({"grant_type": "password"}, 400, 70003, "unsupported_grant_type"),
        ({"scope": ""}, 400, 900144, "invalid_request"),
        ({"scope": f"{ARM}/user_impersonation"}, 400, 1002012, "invalid_scope"),
        ({"scope": f"{ARM}/.default {GRAPH}/.default"}, 400, 1002012, "invalid_scope"),
        ({"scope": "https://example.com/.default"}, 400, 500011, "invalid_resource"),
        ({"tenant": "contoso.com"}, 400, 90002, "invalid_request"),
    ],
)
def test_a_wrong_request_gets_entras_number(
    azure: Client, change: dict[str, str], status: int, code: int, kind: str
) -> None:
    answer = azure.sign_in(**change)
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, kind, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert azure.credentials["client_secret"] not in answer.text


def test_metadata_of_an_unknown_tenant_is_refused(azure: Client) -> None:
    answer = azure.session.get(f"{LOGIN}/contoso.com/v2.0/.well-known/openid-configuration")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_tenant")
    discovery = azure.session.get(f"{LOGIN}/common/discovery/instance").json()
    assert "login.microsoftonline.com" in discovery["metadata"][0]["aliases"]
    assert azure.session.get(f"{LOGIN}/nothing").status_code == 404


def test_a_huge_form_is_refused(azure: Client) -> None:
    assert azure.sign_in(padding="x" * 100_000).status_code == 400


# ---- a pipeline's own token

ISSUER, SUBJECT = "https://token.actions.githubusercontent.com", "repo:contoso/forecast:environment:prod"


@pytest.fixture(scope="module")
def pipeline(shared_sandbox: Sandbox) -> Client:
    """An application without a secret, that trusts a pipeline."""
    azure = Client(shared_sandbox)
    one = azure.graph("POST", "/applications", {"displayName": "pipeline"}).json()
    assert azure.graph("POST", "/servicePrincipals", {"appId": one["appId"]}).status_code == 201
    trusted = {"name": "github", "issuer": ISSUER, "subject": SUBJECT, "audiences": [AUDIENCE]}
    made = azure.graph("POST", f"/applications/{one['id']}/federatedIdentityCredentials", trusted)
    assert made.status_code == 201
    return Client(shared_sandbox, credentials={"client_id": one["appId"]})


def pipelines_token(pipeline: Client, issuer: str = ISSUER, subject: str = SUBJECT) -> str:
    """As the issuer gives it to the pipeline: by the sandbox's command."""
    done = pipeline.sandbox.command("token", "--issuer", issuer, "--subject", subject)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_pipeline_signs_in_with_its_own_token(pipeline: Client) -> None:
    answer = pipeline.sign_in(client_assertion=pipelines_token(pipeline), client_assertion_type=TYPE)
    assert answer.status_code == 200, answer.text
    found = claims(answer.json()["access_token"])
    assert (found["appid"], found["idtyp"]) == (pipeline.credentials["client_id"], "app")


@pytest.mark.parametrize(
    ("issuer", "subject", "code"),
    [
        ("https://vstoken.dev.azure.com/1", SUBJECT, 700211),
        (ISSUER + "/", SUBJECT, 700211),
        (ISSUER, "repo:contoso/forecast:ref:refs/heads/main", 700213),
        (ISSUER, SUBJECT.replace("contoso", "Contoso"), 700213),
    ],
)
def test_another_pipelines_token_is_refused(pipeline: Client, issuer: str, subject: str, code: int) -> None:
    token = pipelines_token(pipeline, issuer, subject)
    answer = pipeline.sign_in(client_assertion=token, client_assertion_type=TYPE)
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [code])
    assert token not in answer.text


def test_a_token_that_nobody_gave_is_refused(pipeline: Client) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = int(time.time())
    own = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "exp": now + 60}
    issued = Pipelines(pipeline.sandbox.directory)
    for assertion, code in (
        (jwt.encode(own, key, algorithm="RS256"), 50013),
        (jwt.encode(own, "a" * 32, algorithm="HS256"), 50027),
        ("x", 50027),
        (issued.token(ISSUER, SUBJECT, "https://management.azure.com"), 700212),
        (Client(pipeline.sandbox).token(), 50013),  # an access token is none
        (jwt.encode({**own, "exp": now - 60}, issued._key, algorithm="RS256"), 700024),
        (jwt.encode({**own, "nbf": now + 600}, issued._key, algorithm="RS256"), 700024),
        (jwt.encode({"iss": ISSUER, "exp": now + 60}, issued._key, algorithm="RS256"), 50027),
    ):
        answer = pipeline.sign_in(client_assertion=assertion, client_assertion_type=TYPE)
        assert (answer.status_code, answer.json()["error_codes"]) == (401, [code]), assertion


def test_a_pipelines_token_reaches_no_service(pipeline: Client) -> None:
    headers = {"Authorization": f"Bearer {pipelines_token(pipeline)}"}
    assert pipeline.session.get(f"{ARM}/subscriptions?api-version=2022-12-01", headers=headers).status_code == 401


# ---- Microsoft's own clients


def test_azure_identity_signs_in_unmodified(azure: Client, as_persona: Callable[[str], None]) -> None:
    as_persona("scientist")
    for credential in (DefaultAzureCredential(), EnvironmentCredential()):
        with credential:
            assert claims(credential.get_token(f"{ARM}/.default").token)["oid"] == user_id("user2@site.com")
    wrong = ClientSecretCredential(azure.tenant, azure.credentials["client_id"], "wrong")
    with wrong, pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        wrong.get_token(f"{ARM}/.default")


def test_msal_signs_in_unmodified(azure: Client, owner: None) -> None:
    app = msal.ConfidentialClientApplication(
        azure.credentials["client_id"],
        azure.credentials["client_secret"],
        authority=f"{LOGIN}/{azure.tenant}",
    )
    found = app.acquire_token_for_client([f"{GRAPH}/.default"])
    assert claims(found["access_token"])["aud"] == GRAPH
    assert app.acquire_token_for_client([f"{GRAPH}/.default"])["token_source"] == "cache"


# ---- applications


def test_an_application_signs_in_with_a_secret_of_its_own(azure: Client) -> None:
    application = azure.graph("POST", "/applications", {"displayName": "automation"}).json()
    secret = azure.graph("POST", f"/applications/{application['id']}/addPassword", {}).json()
    credentials = {"client_id": application["appId"], "client_secret": secret["secretText"]}
    client = Client(azure.sandbox, credentials=credentials)
    assert client.sign_in().json()["error_codes"] == [7000229]  # no service principal yet
    principal = azure.graph("POST", "/servicePrincipals", {"appId": application["appId"]}).json()
    found = claims(client.token())
    assert (found["oid"], found["appid"], found["idtyp"]) == (principal["id"], application["appId"], "app")
    assert client.arm("GET", f"/subscriptions/{SUBSCRIPTION}/resourceGroups").json() == {"value": []}
    azure.graph("POST", f"/applications/{application['id']}/removePassword", {"keyId": secret["keyId"]})
    assert client.sign_in().json()["error_codes"] == [7000215]
    expired = {"passwordCredential": {"endDateTime": "2020-01-01T00:00:00Z"}}
    old = azure.graph("POST", f"/servicePrincipals/{principal['id']}/addPassword", expired).json()
    client.credentials["client_secret"] = old["secretText"]
    assert client.sign_in().json()["error_codes"] == [7000222]
    own = azure.sign_in(f"api://{application['appId']}")
    assert claims(own.json()["access_token"])["aud"] == f"api://{application['appId']}"


# ---- forged tokens


def confused(body: dict[str, Any], key: bytes) -> str:
    """Signed with HMAC and the public key, for a verifier that believes the head's `alg`. PyJWT refuses to make one."""

    def coded(part: bytes) -> str:
        return base64.urlsafe_b64encode(part).decode().rstrip("=")

    head = coded(b'{"alg":"HS256","typ":"JWT"}')
    content = f"{head}.{coded(json.dumps(body).encode())}"
    return f"{content}.{coded(hmac.digest(key, content.encode(), 'sha256'))}"


@pytest.fixture(scope="module")
def forged(azure: Client) -> dict[str, str]:
    """Tokens that must not work, by what is wrong with them."""
    good = azure.token()
    body = claims(good)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    head, payload, signature = good.split(".")
    altered = jwt.encode({**body, "oid": user_id("admin1@site.com")}, other, algorithm="RS256").split(".")[1]
    published = jwt.PyJWKSet.from_dict(azure.session.get(f"{LOGIN}/{azure.tenant}/discovery/v2.0/keys").json())
    pem = published.keys[0].key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    unsigned = jwt.encode(body, "", algorithm="none")
    return {
        "unsigned": unsigned,
        "unsigned, its signature kept": f"{unsigned.split('.')[0]}.{payload}.{signature}",
        "signed with another key": jwt.encode(body, other, algorithm="RS256", headers={"kid": "sandbox"}),
        "signed with the public key as a password": confused(body, pem),
        "altered": f"{head}.{altered}.{signature}",
        "cut": good[:-10],
        "for another audience": azure.token(GRAPH),
        "empty": "",
        "not a token": "a.b.c",
    }


@pytest.mark.parametrize(
    "kind",
    [
        "unsigned",
        "unsigned, its signature kept",
        "signed with another key",
        "signed with the public key as a password",
        "altered",
        "cut",
        "for another audience",
        "empty",
        "not a token",
    ],
)
def test_a_forged_token_is_refused_everywhere(azure: Client, forged: dict[str, str], kind: str) -> None:
    headers = {"Authorization": f"Bearer {forged[kind]}"}
    url = f"{ARM}/subscriptions?api-version=2022-12-01"
    answers: list[requests.Response] = [azure.session.get(url, headers=headers)]
    if kind != "for another audience":
        answers.append(azure.session.get(f"{GRAPH}/v1.0/me", headers=headers))
    for answer in answers:
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] in ("InvalidAuthenticationToken", "AuthenticationFailed")
