"""Error hooks: create, update and delete that fail twice are repeated as the hook wants, with all failures told; not in a preview."""
from hooks import on_error
from pulumi import ResourceHookBinding
from pulumi_trace import Component, ResourceOptions, Thing

STEPS = [dict(run="preview", v=1), dict(run="up", v=1), dict(run="up", v=1), dict(run="up", v=2), dict(run="up", v=3),
         dict(run="refresh"), dict(run="preview", v=4), dict(run="up", v=4), dict(run="up", v=5), dict(run="destroy")]


def program(v):
    hooks = ResourceHookBinding(on_error=[on_error("no", False), on_error("again", True)])
    parent = Component("parent", ResourceOptions(hooks=hooks))
    if v < 3:
        a = Thing("a", ResourceOptions(hooks=hooks, parent=parent), size=v, fails={"create": 2, "update": 2, "delete": 2})
        Thing("b", of=a.serial)
    if v >= 4:
        Thing("c", ResourceOptions(hooks=hooks if v == 4 else None))
