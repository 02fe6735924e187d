"""The parent is renamed with an alias and the program raises before its children: their URNs follow all the same."""
import pulumi
from pulumi_trace import ResourceOptions, Thing
STEPS = [dict(run="up", v=1), dict(run="up", v=2), dict(run="up", v=3)]
def program(v):
    a = Thing("a", size=1) if v == 1 else Thing("b", ResourceOptions(aliases=[pulumi.Alias(name="a")]), size=1)
    def rest(serial):
        if v == 2:
            raise Exception("before the children")
    if v == 2:
        a.serial.apply(rest)
        return
    child = Thing("child", ResourceOptions(parent=a), size=1)
    Thing("grandchild", ResourceOptions(parent=child), of=child.serial)
