"""destroy --run-program: providers get the program's configuration, error hooks are there, nothing is made."""
import pulumi
from hooks import on_error
from pulumi import ResourceHookBinding
from pulumi_trace import Component, Provider, ResourceOptions, Thing

STEPS = [dict(run="up", v=1), dict(run="up", v=2), dict(run="preview", v=3), dict(run="destroy", v=3, args=["--run-program"])]


def program(v):
    hooks = ResourceHookBinding(on_error=[on_error("again", True)])
    provider = Provider("p", region="east" if v == 1 else f"west{v}")
    parent = Component("parent")
    a = Thing("a", ResourceOptions(hooks=hooks, parent=parent, provider=provider), size=1, fails={"delete": 2})
    b = Thing("b", ResourceOptions(provider=provider), of=a.serial)
    if v == 1:
        Thing("old", of=b.serial)
    if v == 3:
        new = Thing("new", of=b.serial)
        Thing("newer", of=new.serial)
    pulumi.export("a", a.serial)
