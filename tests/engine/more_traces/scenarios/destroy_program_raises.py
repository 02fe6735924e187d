"""destroy --run-program of a program that fails deletes nothing; with reads, targets, protected ones and new components."""
import pulumi
from pulumi_trace import Component, ResourceOptions, Thing

A = "urn:pulumi:dev::traces::trace:index:Thing::a"
STEPS = [dict(run="up", v=1, world={"x": {"size": 3}}), dict(run="destroy", v=2, args=["--run-program"]),
         dict(run="destroy", v=3, args=["--run-program"]), dict(run="destroy", v=4, args=["--run-program"]),
         dict(run="destroy", v=5, args=["--run-program"])]


def program(v):
    Thing("a", ResourceOptions(protect=v in (1, 2, 3)), size=v)
    Thing.get("x", "x")
    if v == 2:
        raise Exception("as asked")
    if v >= 4:
        part = Component("new")
        Thing("child", ResourceOptions(parent=part))
