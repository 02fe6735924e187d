"""Azure Machine Learning in the local Azure: its management types, the workspace's own services, and the jobs' runner.

`arm` lists what the resource manager serves (workspaces, computes, datastores, assets, jobs), one module a family of
types; `plane/` answers for REGION.api.azureml.ms (run history, artifacts, MLflow); `runner/` carries jobs out
on this machine. They share the store alone: the runner writes nodes and runs, the others show them.
"""

from sandbox.azure.ml.runner.service import Runner

__all__ = ["Runner"]
