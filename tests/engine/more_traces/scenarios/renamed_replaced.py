"""Renamed with an alias and replaced at once by a program that raises: what waits for its delete has the new URN, too."""
import pulumi
from pulumi_trace import ResourceOptions, Thing
STEPS = [dict(run="up", v=1), dict(run="up", v=2), dict(run="preview", v=3), dict(run="up", v=3)]
def program(v):
    if v == 1:
        Thing("a", r_zone=1)
    else:
        Thing("b", ResourceOptions(aliases=[pulumi.Alias(name="a")]), r_zone=2)
    if v == 2:
        raise Exception("after the replacement")
