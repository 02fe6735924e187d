"""--target of a resource under its new name, with an alias; nothing uses it."""
import pulumi
from pulumi_trace import ResourceOptions, Thing
URN = "urn:pulumi:dev::traces::trace:index:Thing::b"
STEPS = [dict(run="up", v=1), dict(run="preview", v=2, args=["--target", URN]), dict(run="up", v=2, args=["--target", URN]), dict(run="up", v=2)]
def program(v):
    Thing("a", size=1) if v == 1 else Thing("b", ResourceOptions(aliases=[pulumi.Alias(name="a")]), size=v)
    Thing("other", size=v)
