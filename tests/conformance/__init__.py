"""azure-ai-ml's own end-to-end tests, from its sdist on PyPI, run live against a sandbox.

`python -m tests.conformance` runs them. Nothing of the sdist is kept here. What it lacks has a stand-in of our own:
`devtools/` for the Azure SDK's test helpers, `configs/` for the YAML files that the tests load, `world.py` for the
workspace that they expect.
"""
