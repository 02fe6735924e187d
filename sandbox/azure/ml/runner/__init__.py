"""The runner: carries command jobs out as processes of this machine.

`service` gives queued jobs to nodes of their clusters; `attempt` is one run from its code to its outputs, with
`environment` (a virtual environment for a conda or pip specification), `data` (inputs and outputs), `variables` (what
the process sees), `process` (its group, its end) and `log`. Nothing here is told to the store but by `runs` and nodes.
"""
