"""Tokens of pipelines, and which of them stand for an application: workload identity federation.

The issuers that applications trust (GitHub, Azure DevOps) are not reached from here, so that the sandbox signs in
their place: `python -m sandbox token`. What Entra checks of a token is checked: signature, time, issuer, subject and
audience, each exactly, in letter case too.
Source: learn.microsoft.com/entra/workload-id/workload-identity-federation and -considerations.
"""

from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.azure import clock
from terminal import write_whole

AUDIENCE = "api://AzureADTokenExchange"
LIFETIME = 600  # seconds; GitHub's tokens last five minutes, Azure DevOps' ten
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_REQUIRED = ["iss", "sub", "aud", "exp"]


class AssertionRefusedError(Exception):
    """An assertion that no federated credential trusts.

    Args:
        code: AADSTS number.
        message: What it means.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Pipelines:
    """The issuers of pipelines' tokens, all with one key of this sandbox (`pipelines.key`).

    Args:
        directory: The sandbox's folder, in which the key is kept.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / "pipelines.key"
        if not path.exists():
            new = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            write_whole(path, new.private_bytes(*pem), private=True)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{path} holds no RSA key")
        self._key = key

    def token(self, issuer: str, subject: str, audience: str = AUDIENCE) -> str:
        """A token as the issuer gives it to the pipeline."""
        now = clock.real_seconds()
        claims = {"iss": issuer, "sub": subject, "aud": audience, "iat": now, "nbf": now, "exp": now + LIFETIME}
        return jwt.encode(claims, self._key, algorithm="RS256")

    def check(self, assertion: str, client_id: str, trusted: list[dict[str, Any]]) -> None:
        """Checks that an application trusts the assertion.

        Args:
            assertion: The token.
            client_id: The application's client id.
            trusted: The application's federated credentials.

        Raises:
            AssertionRefusedError: The application does not trust the assertion.
        """
        if not trusted:
            raise AssertionRefusedError(
                70025, f"The client '{client_id}' has no configured federated identity credentials."
            )
        claims = self._read(assertion)
        for number, name, accepted in (
            (700211, "issuer", lambda credential: credential["issuer"] == claims["iss"]),
            (700213, "subject", lambda credential: credential["subject"] == claims["sub"]),
            (700212, "audience", lambda credential: claims["aud"] in credential["audiences"]),
        ):
            trusted = [credential for credential in trusted if accepted(credential)]
            if not trusted:
                raise AssertionRefusedError(
                    number,
                    f"No matching federated identity record found for presented assertion {name} "
                    f"'{claims[name[:3]]}'. Check your federated identity credential Subject, Audience and Issuer "
                    "against the presented assertion.",
                )

    def _read(self, assertion: str) -> dict[str, Any]:
        options: Any = {"require": _REQUIRED, "verify_aud": False}
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion, self._key.public_key(), algorithms=["RS256"], options=options
            )
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
            raise AssertionRefusedError(700024, "Client assertion is not within its valid time range.") from error
        except jwt.InvalidSignatureError as error:
            raise AssertionRefusedError(
                50013,
                "Assertion failed signature validation. The sandbox knows only what `python -m sandbox token` prints.",
            ) from error
        except jwt.InvalidTokenError as error:
            raise AssertionRefusedError(50027, "JWT token is invalid or malformed.") from error
        return claims
