"""What came to be but is not ready (ErrorResourceInitFailed) is an error to error hooks, too."""
from hooks import on_error
from pulumi import ResourceHookBinding
from pulumi_trace import ResourceOptions, Thing

STEPS = [dict(run="up", v=1), dict(run="up", v=1), dict(run="up", v=2), dict(run="up", v=3)]


def program(v):
    hooks = ResourceHookBinding(on_error=[on_error("again", [True, v == 1, v == 1])])
    a = Thing("a", ResourceOptions(hooks=hooks), fails={"init": 2})
    c = Thing("c", of=a.serial)
    if v > 1:
        Thing("b", ResourceOptions(hooks=hooks, depends_on=[c]), fails={"init": 4}, size=v)
