"""What the page of the platform is made of.

`teams` reads the resources of each team, `computes` their clusters and instances, `prices` what they cost, `access` who
may do what, and `graph` draws how they hang together.
"""
