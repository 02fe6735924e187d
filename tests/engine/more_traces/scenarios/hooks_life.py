"""Hooks before and after create, update, replace and delete; previews call none; destroy wants the program for them."""
from hooks import hook
from pulumi import ResourceHookBinding
from pulumi_trace import Named, ResourceOptions, Thing

STEPS = [dict(run="preview", v=1), dict(run="up", v=1), dict(run="up", v=1), dict(run="up", v=2), dict(run="up", v=3), dict(run="up", v=4),
         dict(run="refresh"), dict(run="destroy"), dict(run="destroy", v=4, args=["--run-program"])]


def program(v):
    kinds = ("before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete")
    hooks = ResourceHookBinding(**{kind: [hook(kind)] for kind in kinds})
    a = Thing("a", ResourceOptions(hooks=hooks), size=1 if v == 1 else 2, r_key=v >= 3)
    Named("n", ResourceOptions(hooks=hooks), name=f"n{v >= 3}", of=a.rev)
    if v < 4:
        Thing("gone", ResourceOptions(hooks=hooks), of=a.serial)
