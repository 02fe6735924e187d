"""A hook's name can be given once."""
from hooks import hook, on_error
from pulumi_trace import Thing

STEPS = [dict(run="preview", v=1), dict(run="up", v=2), dict(run="up", v=3)]


def program(v):
    first, second = [(hook, hook), (hook, on_error), (on_error, on_error)][v - 1]
    Thing("a")
    first("same", True)
    second("same", True)
