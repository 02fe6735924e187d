"""Hooks that nobody has registered: before a delete, the step fails; after it, the resource is gone and the update fails."""
from hooks import hook
from pulumi import ResourceHookBinding
from pulumi_trace import ResourceOptions, Thing

STEPS = [dict(run="up", v=1), dict(run="up", v=2), dict(run="up", v=3), dict(run="up", v=4)]


def program(v):
    if v == 1:
        Thing("after", ResourceOptions(hooks=ResourceHookBinding(after_delete=[hook("after")])))
        Thing("before", ResourceOptions(hooks=ResourceHookBinding(before_delete=[hook("before")])))
    if v == 2:
        Thing("before", ResourceOptions(hooks=ResourceHookBinding(before_delete=[hook("before")])))
    if v == 4:
        hook("before")
