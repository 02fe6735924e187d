"""Hooks of components: after ones come with the outputs, and not at all without; a failing one; their deletes."""
import pulumi
from hooks import hook
from pulumi import ResourceHookBinding
from pulumi_trace import ResourceOptions, Thing

STEPS = [dict(run="preview", v=1), dict(run="up", v=1), dict(run="up", v=2), dict(run="up", v=3), dict(run="up", v="after_create"),
         dict(run="up", v="after_update"), dict(run="up", v=4), dict(run="up", v=5)]


class Part(pulumi.ComponentResource):
    def __init__(self, name, props, opts, finish=True):
        super().__init__("traces:index:Part", name, props, opts)
        child = Thing(name + "-child", ResourceOptions(parent=self), **props)
        if finish:
            self.register_outputs({"serial": child.serial})


def program(v):
    kinds = ("before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete")
    hooks = ResourceHookBinding(**{kind: [hook(kind, fails=v == kind)] for kind in kinds})
    if v in (1, 2):
        Part("p", {"size": v}, ResourceOptions(hooks=hooks))
        Part("silent", {"size": v}, ResourceOptions(hooks=hooks), finish=False)
    if v in ("after_create", "after_update", 4):
        Part("q", {"size": v}, ResourceOptions(hooks=hooks))
