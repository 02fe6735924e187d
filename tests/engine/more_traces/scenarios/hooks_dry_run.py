"""on_dry_run: hooks called in previews, too, with what is unknown; one that fails there fails the preview."""
from hooks import hook
from pulumi import ResourceHookBinding
from pulumi_trace import ResourceOptions, Thing

STEPS = [dict(run="preview", v=1), dict(run="up", v=1), dict(run="preview", v=2), dict(run="up", v=2), dict(run="preview", v=3),
         dict(run="preview", v="before_update"), dict(run="preview", v="after_update"), dict(run="preview", v=4), dict(run="up", v=3)]


def program(v):
    kinds = ("before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete")
    hooks = ResourceHookBinding(**{kind: [hook(kind, fails=v == kind, on_dry_run=True)] for kind in kinds})
    a = Thing("a", ResourceOptions(hooks=hooks), size=1 if v == 1 else 2 if v == 2 else 3)
    if v in (1, 2, 4):
        Thing("b", ResourceOptions(hooks=hooks), of=a.rev)
