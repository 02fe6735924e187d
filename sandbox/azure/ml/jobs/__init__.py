"""Jobs as the resource manager shows them: `routes` has the operations, `kinds` the job types, one module a type.

A job is checked, stored, and put into the runner's queue (`work`); the runner carries it out.
"""
