"""Faults on purpose: what a healthy Azure does now and then, made to happen by a plan.

`plan` is what is to happen, as the command and the file have it; `injector` makes it happen around every service of the
gateway; `refusals` are the bodies in which services refuse. The services know nothing of it, with one exception: role
assignments that take effect late are asked for by `rbac`.
"""

from sandbox.azure.faults.injector import Faults
from sandbox.azure.faults.plan import Plan, PlanError, Rule, read_plan

__all__ = ["Faults", "Plan", "PlanError", "Rule", "read_plan"]
