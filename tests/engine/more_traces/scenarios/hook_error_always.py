"""An error hook that always wants it again is asked 99 times."""
from hooks import on_error
from pulumi import ResourceHookBinding
from pulumi_trace import ResourceOptions, Thing

STEPS = [dict(run="up", v=1)]


def program(v):
    Thing("a", ResourceOptions(hooks=ResourceHookBinding(on_error=[on_error("again", True)])), fail="create")
