"""Credentials of recordings, which are imported and never used."""

SANITIZED = "Sanitized"


class FakeTokenCredential:
    """What a recording would sign in with."""
