"""Error hooks that say no, raise, or change their mind: how a step fails, and what is told."""
from hooks import on_error
from pulumi import ResourceHookBinding
from pulumi_trace import ResourceOptions, Thing

ANSWERS = {"no": False, "raises": "the hook broke", "late no": [True, True, False], "late raise": [True, "the hook broke"]}
STEPS = [dict(run="up", v=a) for a in ANSWERS] + [dict(run="up", v="works"), dict(run="up", v="update no"), dict(run="up", v="update raises"),
         dict(run="up", v="delete no"), dict(run="up", v="delete raises"), dict(run="up", v="gone")]


def program(v):
    word = v.removeprefix("update ").removeprefix("delete ")
    hooks = ResourceHookBinding(on_error=[on_error("hook", ANSWERS.get(word, False))])
    fail = "no" if v in ("works", "gone") else "update" if v.startswith("update") else "create"
    if v[:6] != "delete" and v != "gone":
        Thing("a", ResourceOptions(hooks=hooks), size=v, fail=fail, fails={"delete": 2})
