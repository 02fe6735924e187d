"""Batch endpoints: a model, or a whole pipeline, that is called with the place of its data and works as a job.

`deployments` puts something behind an endpoint and deletes it; `calls` begins jobs, lists them and gets their results.
"""
