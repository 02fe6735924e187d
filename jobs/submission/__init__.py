"""From a job's file to a run: read it, fit it to the team, say what it may cost, send it.

`source` finds and loads the file, `document` reads YAML with its lines, `fit` resolves clusters and datastores by the
outputs, `inputs` uploads what lies beside the file, `estimate` prices it, `stamp` tags it. `submit` is the whole way.
"""
