"""The data scientists' room: submit, watch, compare and register training runs, knowing only a stack's outputs.

`python -m jobs --help` is the way in; docs/jobs.md the guide. Whoever prefers plain azure-ai-ml needs nothing from here
but the outputs (`jobs.outputs`).
"""
