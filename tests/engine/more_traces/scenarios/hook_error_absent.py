"""A failing delete whose error hook nobody has registered: the resource is gone from the program, or there is none."""
from hooks import on_error
from pulumi import ResourceHookBinding
from pulumi_trace import ResourceOptions, Thing

STEPS = [dict(run="up", v=1), dict(run="up", v=2), dict(run="destroy"), dict(run="destroy")]


def program(v):
    if v == 1:
        hooks = ResourceHookBinding(on_error=[on_error("again", True)])
        Thing("a", ResourceOptions(hooks=hooks), fails={"delete": 2})
