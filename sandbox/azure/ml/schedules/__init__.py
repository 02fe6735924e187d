"""Schedules: jobs that the service submits at times.

`routes` has the operations, `firing` submits a job; `sandbox.azure.ml.triggers` reads when.
"""
