"""Pipelines as data: the graph of a job's or a component's nodes (`graph`), their bindings, and what a node becomes.

Nothing here runs anything: `jobs.pipeline` checks with it what is submitted, `runner.graph` carries it out.
"""
