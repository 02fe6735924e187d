"""Secrets at rest: account keys and vault secrets lie encrypted in the store, under a key that is a file of its own.

Someone who copies or searches the database alone learns none of them. Fernet: AES-128-CBC with HMAC-SHA256.
"""

import hashlib
import hmac
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from terminal import write_whole

KEY_FILE = "seal.key"


class UnreadableSecretError(Exception):
    """A sealed value that this sandbox's key does not open."""


def seal(directory: Path, secret: str) -> str:
    """The secret, encrypted for the sandbox in this folder.

    Raises:
        OSError: The folder cannot be written.
    """
    return Fernet(_key(directory)).encrypt(secret.encode()).decode()


def unseal(directory: Path, sealed: str) -> str:
    """Decrypts what `seal` encrypted.

    Raises:
        UnreadableSecretError: It was altered, or sealed by another sandbox.
    """
    try:
        return _opened(directory, sealed)
    except InvalidToken as error:
        raise UnreadableSecretError(
            f"{directory / KEY_FILE} does not open this secret: it was sealed by another sandbox. "
            "Restore that file, or start anew with `python -m sandbox reset`."
        ) from error


@lru_cache(maxsize=256)
def _opened(directory: Path, sealed: str) -> str:
    """Kept for the secrets that each request needs, such as an account's keys: who reads this memory has the key."""
    return Fernet(_key(directory)).decrypt(sealed).decode()


def derive(directory: Path, purpose: str) -> bytes:
    """32 bytes that only this sandbox can make again from the same purpose; nothing is stored."""
    return hmac.digest(_key(directory), purpose.encode(), hashlib.sha256)


def _key(directory: Path) -> bytes:
    path = directory / KEY_FILE
    try:
        return path.read_bytes()
    except FileNotFoundError:
        write_whole(path, Fernet.generate_key(), private=True)
        return path.read_bytes()
