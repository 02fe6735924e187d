"""`make verify-azure`: the tests of `tests/azure_verified` against a real subscription, and their results.

`resources` makes and removes, `report` reads the results and writes docs, `run` puts them together.
"""
