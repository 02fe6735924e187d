"""Entra's signed tokens: who calls, for which audience, until when."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.azure import clock
from sandbox.azure.activity.record import note_caller
from sandbox.azure.front.errors import AzureError
from terminal import write_whole

KEY_ID = "sandbox"
REQUIRED_CLAIMS = ["exp", "aud", "oid", "appid"]
LIFETIME = 3600  # seconds; Entra's default lies between 60 and 90 minutes


@dataclass(frozen=True)
class Caller:
    """The principal behind a request.

    Attributes:
        object_id: Its object id in the directory: a user's, a service principal's or a managed identity's.
        client_id: The application that asked for the token.
    """

    object_id: str
    client_id: str


class Tokens:
    """Signs and checks tokens with a key of this sandbox.

    Args:
        directory: Where the key is kept (`entra.key`, readable by the owner only).
        tenant_id: The tenant in `iss` and `tid`.
    """

    def __init__(self, directory: Path, tenant_id: str) -> None:
        self.tenant_id = tenant_id
        path = directory / "entra.key"
        if not path.exists():
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            write_whole(
                path,
                key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                ),
                private=True,
            )
        loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(loaded, rsa.RSAPrivateKey):
            raise TypeError(f"{path} holds no RSA key")
        self._key = loaded
        self.public_key = loaded.public_key()

    def issue(self, audience: str, caller: Caller, **claims: Any) -> tuple[str, int]:
        """A token for the audience, and its lifetime in seconds."""
        now = clock.real_seconds()
        body = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{self.tenant_id}/",
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "tid": self.tenant_id,
            "oid": caller.object_id,
            "sub": caller.object_id,
            "appid": caller.client_id,
            "ver": "1.0",
            **claims,
        }
        return jwt.encode(body, self._key, algorithm="RS256", headers={"kid": KEY_ID}), LIFETIME

    def check(self, authorization: str | None, *audiences: str) -> Caller:
        """The caller of a request with this `Authorization` header.

        Args:
            authorization: The header's value.
            audiences: What `aud` may be; a trailing slash does not count.

        Raises:
            AzureError: 401, where it is absent, altered, expired or for another audience.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise self._refused("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        accepted = [form for audience in audiences for form in (audience.rstrip("/"), audience.rstrip("/") + "/")]
        try:
            claims = jwt.decode(
                token, self.public_key, algorithms=["RS256"], audience=accepted, options={"require": REQUIRED_CLAIMS}
            )
        except jwt.ExpiredSignatureError as error:
            raise self._refused("ExpiredAuthenticationToken", "The access token expiry UTC time has passed.") from error
        except jwt.InvalidAudienceError as error:
            text = (
                f"The access token has been obtained for wrong audience or resource. Allowed: {', '.join(audiences)}."
            )
            raise self._refused("InvalidAuthenticationToken", text) from error
        except jwt.InvalidTokenError as error:
            raise self._refused("InvalidAuthenticationToken", "The access token is invalid.") from error
        note_caller("token", claims["oid"], claims["appid"])
        return Caller(object_id=claims["oid"], client_id=claims["appid"])

    def _refused(self, code: str, message: str) -> AzureError:
        authority = f"https://login.microsoftonline.com/{self.tenant_id}"
        challenge = f'Bearer authorization_uri="{authority}", error="invalid_token", error_description="{message}"'
        return AzureError(401, code, message, headers={"WWW-Authenticate": challenge})
