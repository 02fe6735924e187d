"""What the sandbox refuses of Azure ML by name, and what to do instead: the second half of the refusal."""

INSTEAD = {
    "automl": "train models in a command or a pipeline, as AutoML's service is in Azure alone",
    "spark": "use PySpark in local mode, pandas or Dask in a command",
    "kubernetes": "make an AmlCompute cluster of that name",
    "kubernetesendpoint": "leave `compute` out, so that the endpoint is managed",
    "virtualmachine": "make an AmlCompute cluster or a ComputeInstance of that name",
    "aks": "make an AmlCompute cluster of that name",
    "databricks": "make an AmlCompute cluster, and run the work as a command",
    "hdinsight": "make an AmlCompute cluster, and run the work as a command",
    "synapsespark": "use PySpark in local mode in a command on an AmlCompute cluster",
    "datafactory": "copy the files in a command",
    "datalakeanalytics": "use DuckDB, pandas or Dask in a command on an AmlCompute cluster",
}


def instead(kind: str) -> str:
    """What to do instead of a type of job, node or compute; what is known to work where nothing stands for it."""
    return INSTEAD.get(kind.lower(), "use a command")
