"""The workspace's own services: `REGION.api.azureml.ms`, where the discovery address leads.

`app` checks token, workspace and right, and hands a request to `history` (run history), `artifacts`, `assets` (the
addresses of data and models) or MLflow: `experiments`, `tracking` (runs), `logged` models, `registry` and `files`.
"""
