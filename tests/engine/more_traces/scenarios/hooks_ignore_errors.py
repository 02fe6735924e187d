"""ignore_errors: a hook's failure is a warning; and with --continue-on-error, one that fails afterwards lets the rest go on."""
from hooks import hook
from pulumi import ResourceHookBinding
from pulumi_trace import ResourceOptions, Thing

STEPS = [dict(run="up", v=1), dict(run="up", v=2), dict(run="up", v=3), dict(run="up", v=4, args=["--continue-on-error"]),
         dict(run="up", v=5, args=["--continue-on-error"])]


def program(v):
    kinds = ("before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete")
    hooks = ResourceHookBinding(**{kind: [hook(kind, fails=True, ignore_errors=True)] for kind in kinds})
    bad = ResourceHookBinding(after_create=[hook("bad after", fails=True)], before_update=[hook("bad before", fails=True)])
    if v != 3:
        Thing("a", ResourceOptions(hooks=hooks), size=v)
    if v > 3:
        b = Thing("b", ResourceOptions(hooks=bad), size=v)
        Thing("c", of=b.rev)
