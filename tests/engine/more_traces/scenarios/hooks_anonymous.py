"""Functions as hooks get names from type, name and place; transforms can bind hooks, parents hand none on."""
import pulumi
from hooks import hook, on_error, tell
from pulumi import ResourceHookBinding
from pulumi_trace import Component, ResourceOptions, Thing

STEPS = [dict(run="up", v=1), dict(run="up", v=2)]


def bind(args):
    opts = pulumi.ResourceOptions.merge(args.opts, ResourceOptions(hooks=ResourceHookBinding(before_create=[hook("bound")])))
    return pulumi.ResourceTransformResult(args.props, opts)


def program(v):
    parent = Component("parent", ResourceOptions(hooks=ResourceHookBinding(before_create=[lambda args: tell("lambda", args)])))
    Thing("child", ResourceOptions(parent=parent), size=v)
    Thing("a", ResourceOptions(hooks=ResourceHookBinding(before_create=[lambda args: tell("one", args), lambda args: tell("two", args)])))
    if v == 2:
        Thing("b", ResourceOptions(transforms=[bind]))
