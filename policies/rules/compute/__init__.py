"""Compute of a workspace: what costs money while nothing runs, or lets people around their identity and network."""

from policies.rules.compute import access, network, scale, sizes

RULES = (*scale.RULES, *sizes.RULES, *access.RULES, *network.RULES)
