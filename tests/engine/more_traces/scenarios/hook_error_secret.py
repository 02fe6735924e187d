"""Error hooks get inputs and old outputs, secrets as such; a dropped or changed binding is `same` and stored."""
import pulumi
from hooks import on_error
from pulumi import ResourceHookBinding
from pulumi_trace import ResourceOptions, Thing

STEPS = [dict(run="up", v=1), dict(run="up", v=2), dict(run="up", v=3), dict(run="up", v=4), dict(run="destroy", v=4)]


def program(v):
    names = {1: ["x"], 2: ["x", "y"], 3: ["y"], 4: []}[v]
    hooks = ResourceHookBinding(on_error=[on_error(n, True) for n in names])
    Thing("a", ResourceOptions(hooks=hooks), word=pulumi.Output.secret("s3"), deep={"x": [1, None, "z"]}, size=v // 3, s_out=1,
          fails={"create": 1, "update": 1})
