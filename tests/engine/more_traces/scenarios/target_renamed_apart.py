"""--target of one resource while another, untargeted, has a new name with an alias, and a user."""
import pulumi
from pulumi_trace import ResourceOptions, Thing
URN = "urn:pulumi:dev::traces::trace:index:Thing::other"
STEPS = [dict(run="up", v=1), dict(run="up", v=2, args=["--target", URN]), dict(run="up", v=2)]
def program(v):
    a = Thing("a", size=1) if v == 1 else Thing("b", ResourceOptions(aliases=[pulumi.Alias(name="a")]), size=1)
    Thing("user", of=a.serial)
    Thing("other", size=v)
