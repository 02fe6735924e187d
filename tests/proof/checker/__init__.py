"""Checks requests and responses against the models in Microsoft's azure-mgmt packages.

Runs in an environment of its own, which `tests.proof.environment` builds: those releases are older than the ones that
the project uses. Only the standard library and those packages are imported here.
"""
