"""A failing hook: before, the step fails; after, the step is done and stored, and the update fails."""
from hooks import hook
from pulumi import ResourceHookBinding
from pulumi_trace import ResourceOptions, Thing

STEPS = [dict(run="up", v="before_create"), dict(run="up", v="after_create"), dict(run="up", v="before_update"),
         dict(run="up", v="after_update"), dict(run="up", v="before_delete"), dict(run="up", v="after_delete"), dict(run="up", v="")]


def program(v):
    kinds = ("before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete")
    hooks = ResourceHookBinding(**{kind: [hook(kind, fails=v == kind)] for kind in kinds})
    c = Thing("c")
    if "delete" not in v and v:
        a = Thing("a", ResourceOptions(hooks=hooks, depends_on=[c]), size=v)
        Thing("b", of=a.serial)
