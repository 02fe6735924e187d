"""The former place of `identity.tokens`: Azure ML's modules still import from here."""

from sandbox.azure.identity.tokens import Caller

__all__ = ["Caller"]
