"""Registries, which share models, environments, components and data between workspaces.

`resource` is what the resource manager makes; `door` answers where clients find a registry and its content; `assets`
has the operations on that, `sharing` copies from a workspace. How workspaces read it is `sandbox.azure.ml.shared`.
"""
