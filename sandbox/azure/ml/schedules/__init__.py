"""Schedules: jobs that the service submits at times.

`triggers` reads when, `routes` has the operations, `firing` submits a job. Compute instances are started and stopped by
the same triggers.
"""
