"""A refresh that finds what only a replacement sets back tells the difference without replace keys; the next up replaces."""
from pulumi_trace import Thing
STEPS = [dict(run="up"), dict(run="refresh", world={"a-1": {"size": 1, "r_zone": 2}}), dict(run="preview", args=["--refresh"]), dict(run="up", world={})]
def program(v):
    a = Thing("a", size=1, r_zone=1)
    Thing("b", of=a.serial)
