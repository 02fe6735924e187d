"""The former place of `front.errors`: Azure ML's modules still import from here."""

from sandbox.azure.front.errors import AzureError, failure

__all__ = ["AzureError", "failure"]
