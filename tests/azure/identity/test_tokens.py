"""Tokens' own rules, where only a clock or a key of another sandbox can show them."""

import time
from pathlib import Path

import jwt
import pytest

from sandbox.azure.access.tokens import Caller, Tokens
from sandbox.azure.front.errors import AzureError

CALLER = Caller("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222")
ARM = "https://management.azure.com"


def test_an_expired_token_is_refused_by_name(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path, "tenant")
    token, _ = tokens.issue(ARM, CALLER, exp=int(time.time()) - 1)
    with pytest.raises(AzureError) as refused:
        tokens.check(f"Bearer {token}", ARM)
    assert (refused.value.status, refused.value.code) == (401, "ExpiredAuthenticationToken")


def test_a_token_of_the_future_is_refused(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path, "tenant")
    token, _ = tokens.issue(ARM, CALLER, nbf=int(time.time()) + 600)
    with pytest.raises(AzureError) as refused:
        tokens.check(f"Bearer {token}", ARM)
    assert refused.value.status == 401


def test_another_sandboxs_token_is_refused_and_ones_own_survives_a_restart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    token, _ = Tokens(tmp_path / "one", "tenant").issue(ARM, CALLER)
    assert Tokens(tmp_path / "one", "tenant").check(f"Bearer {token}", ARM) == CALLER
    with pytest.raises(AzureError):
        Tokens(tmp_path / "two", "tenant").check(f"Bearer {token}", ARM)


@pytest.mark.parametrize("claim", ["oid", "appid", "exp", "aud"])
def test_a_token_without_a_claim_is_refused(tmp_path: Path, claim: str) -> None:
    tokens = Tokens(tmp_path, "tenant")
    body = jwt.decode(tokens.issue(ARM, CALLER)[0], options={"verify_signature": False})
    del body[claim]
    token = jwt.encode(body, (tmp_path / "entra.key").read_bytes(), algorithm="RS256")
    with pytest.raises(AzureError) as refused:
        tokens.check(f"Bearer {token}", ARM)
    assert refused.value.status == 401


def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    Tokens(tmp_path, "tenant")
    assert (tmp_path / "entra.key").stat().st_mode & 0o777 == 0o600
