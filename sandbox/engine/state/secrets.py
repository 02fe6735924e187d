"""Pulumi's passphrase secrets: AES-256-GCM under a key that PBKDF2 makes from the passphrase and the stack's salt.

The formats are Pulumi's own (`sdk/go/common/resource/config/crypt.go`, `pkg/secrets/passphrase`): a ciphertext is
`v1:<nonce>:<data>`, a salt `v1:<salt>:<ciphertext of "pulumi">`, so that a wrong passphrase is noticed.
"""

import base64
import getpass
import hashlib
import os
import sys
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sandbox.engine.errors import EngineError

ITERATIONS = 1_000_000
_CHECK = "pulumi"


class Secrets:
    """Encrypts and decrypts the secrets of one stack; the key is derived at first use (half a second)."""

    def __init__(self, salt: str | None = None) -> None:
        """Takes the salt as Pulumi.<stack>.yaml or the state holds it; without one, a new one is made at first use."""
        self._salt = salt
        self._cipher: AESGCM | None = None
        self._known: dict[tuple[str, str], str] = {}

    @property
    def salt(self) -> str:
        """The stack's salt in Pulumi's form.

        Raises:
            EngineError: no passphrase is given, or another one than the stack's.
        """
        self.unlock()
        assert self._salt  # noqa: S101 (unlock sets it)
        return self._salt

    def unlock(self) -> None:
        """Derive the key and check it against the salt.

        Raises:
            EngineError: no passphrase is given, or another one than the stack's.
        """
        if self._cipher:
            return
        if self._salt is None:
            self._salt, self._cipher = _new_salt(passphrase())
            return
        try:
            _, salt, check = self._salt.split(":", 2)
            key = _key(passphrase(), base64.b64decode(salt))
        except ValueError as e:
            raise EngineError(f"the stack's encryptionsalt {self._salt!r} is damaged; restore it") from e
        try:
            _decrypt(AESGCM(key), check)
        except InvalidTag:
            raise EngineError(
                "incorrect passphrase: PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) is not the one that "
                "this stack's secrets were encrypted with"
            ) from None
        self._cipher = AESGCM(key)

    def encrypt(self, text: str, where: str = "") -> str:
        """The ciphertext of a text; a text that was read from the same place keeps its ciphertext."""
        if (where, text) not in self._known:
            self.unlock()
            assert self._cipher  # noqa: S101 (unlock sets it)
            self._known[where, text] = _encrypt(self._cipher, text)
        return self._known[where, text]

    def decrypt(self, ciphertext: str, where: str = "") -> str:
        """The text of a ciphertext.

        Raises:
            EngineError: the passphrase is missing or wrong, or the ciphertext is damaged.
        """
        self.unlock()
        assert self._cipher  # noqa: S101 (unlock sets it)
        try:
            text = _decrypt(self._cipher, ciphertext)
        except (InvalidTag, ValueError):
            raise EngineError(
                f"a secret cannot be decrypted ({where or 'config'}): it is damaged or from another stack"
            ) from None
        self._known[where, text] = ciphertext
        return text


def passphrase() -> str:
    """The passphrase of PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, else asked for on a terminal.

    Raises:
        EngineError: No passphrase is given, and nobody can be asked.
    """
    if (phrase := os.environ.get("PULUMI_CONFIG_PASSPHRASE")) is not None:
        return phrase
    if file := os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        try:
            return Path(file).read_text().strip()
        except OSError as e:
            raise EngineError(f"unable to read PULUMI_CONFIG_PASSPHRASE_FILE: {e}") from e
    if sys.stdin.isatty():
        return getpass.getpass("Enter your passphrase to unlock config/secrets: ")
    raise EngineError(
        "passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables"
    )


@lru_cache
def _key(phrase: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", phrase.encode(), salt, ITERATIONS)


def _new_salt(phrase: str) -> tuple[str, AESGCM]:
    salt = os.urandom(8)
    cipher = AESGCM(_key(phrase, salt))
    return f"v1:{base64.b64encode(salt).decode()}:{_encrypt(cipher, _CHECK)}", cipher


def _encrypt(cipher: AESGCM, text: str) -> str:
    nonce = os.urandom(12)
    data = cipher.encrypt(nonce, text.encode(), None)
    return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(data).decode()}"


def _decrypt(cipher: AESGCM, ciphertext: str) -> str:
    _, nonce, data = ciphertext.split(":")
    return cipher.decrypt(base64.b64decode(nonce), base64.b64decode(data), None).decode()
