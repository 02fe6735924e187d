"""Sweeps as data: the search space, the samples taken from it, and the policies that end trials early.

Nothing here runs anything or reads the store: `jobs.sweep` checks with it what is submitted, `runner.search` uses it.
"""
