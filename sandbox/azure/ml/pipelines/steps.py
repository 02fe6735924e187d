"""What a node becomes when it begins: a job's definition, with its inputs and settings filled in.

The result has the shape of a submitted job, so that a step and a job are carried out by the same code.
"""

from dataclasses import dataclass
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.datastores import ARTIFACT_STORE, DEFAULT
from sandbox.azure.ml.jobfields import COMPONENT_MODES, DATA_TYPES
from sandbox.azure.ml.pipelines.bindings import Look, filled, parent_output, text_of, whole
from sandbox.azure.ml.pipelines.graph import PARALLEL, Node
from sandbox.azure.ml.pipelines.sweeps import sweep
from sandbox.azure.ml.pipelines.transfer import TRANSFER, is_data
from sandbox.azure.ml.uris import FILE, default_uri, output_uri

CAMEL = {
    "distribution_type": "distributionType",
    "type": "distributionType",
    "process_count_per_instance": "processCountPerInstance",
    "worker_count": "workerCount",
    "parameter_server_count": "parameterServerCount",
    "instance_count": "instanceCount",
    "instance_type": "instanceType",
    "shm_size": "shmSize",
    "docker_args": "dockerArgs",
    "job_tier": "jobTier",
    "client_id": "clientId",
    "identity_type": "identityType",
}
ARTIFACTS = "artifacts"
NUMBERS = {"processCountPerInstance", "workerCount", "parameterServerCount", "instanceCount"}
IDENTITIES = {"user_identity": "UserIdentity", "managed_identity": "Managed", "aml_token": "AMLToken"}


@dataclass(frozen=True)
class Pipeline:
    """A pipeline that is carried out, as its nodes see it.

    Attributes:
        name: Its run.
        properties: Its definition, whose inputs have their values.
    """

    name: str
    properties: Body

    @property
    def settings(self) -> Body:
        """Its settings."""
        return self.properties.get("settings") or {}

    @property
    def compute(self) -> str:
        """The compute of nodes that name none; empty for none."""
        return str(self.settings.get("default_compute") or self.properties.get("computeId") or "")

    @property
    def datastore(self) -> str:
        """The datastore of outputs that have no path."""
        return str(self.settings.get("default_datastore") or DEFAULT).rsplit("/", 1)[-1]

    def flag(self, name: str, *, default: bool) -> bool:
        """A setting that is on or off."""
        value = self.settings.get(name)
        return default if value is None else str(value).lower() == "true"

    @property
    def continues(self) -> bool:
        """Whether other nodes go on when one fails."""
        return self.flag("continue_on_step_failure", default=True)

    @property
    def forced(self) -> bool:
        """Whether nothing is reused, now or later."""
        return self.flag("force_rerun", default=False)


def definition(node: Node, pipeline: Pipeline, look: Look) -> Body:
    """The properties of the job that a node becomes.

    Raises:
        BindingError: A binding has no value.
    """
    given = filled({key: value for key, value in node.given.items() if key not in ("inputs", "outputs")}, look)
    common: Body = {
        "inputs": _inputs(node, look),
        "outputs": {name: _output(name, one, node, pipeline) for name, one in (node.spec.get("outputs") or {}).items()},
        "computeId": given.get("computeId") or pipeline.compute or None,
        "componentId": node.component["id"],
    }
    if node.is_pipeline:
        return {**common, **_nested(node, pipeline)}
    if node.spec["type"] == TRANSFER:
        return {**common, **_transfer(node, given)}
    if node.spec["type"] == PARALLEL:
        return {**common, **_parallel(node, given)}
    single = _command(node, given)
    return {**common, **(sweep(given, single) if node.is_sweep else single)}


def _nested(node: Node, pipeline: Pipeline) -> Body:
    return {"jobType": "Pipeline", "jobs": node.jobs, "settings": pipeline.settings}


def _transfer(node: Node, given: Body) -> Body:
    """The component's task with the node's own settings over it."""
    return {
        "jobType": "DataTransfer",
        "task": given.get("task") or node.spec.get("task"),
        "dataCopyMode": given.get("data_copy_mode") or node.spec.get("data_copy_mode"),
        "resources": {},
    }


def _command(node: Node, given: Body) -> Body:
    """The component's settings with the node's own over them."""
    spec = node.spec
    return {
        "jobType": "Command",
        "command": spec["command"],
        "codeId": _code(spec),
        "environmentId": str(spec.get("environment") or ""),
        "distribution": _camel(given.get("distribution")) or _camel(spec.get("distribution")),
        "limits": _limits(given.get("limits") or spec.get("limits")),
        "services": given.get("services"),
        **_surroundings(spec, given),
    }


PARALLEL_FIELDS = {
    "input_data": "inputData",
    "mini_batch_size": "miniBatchSize",
    "partition_keys": "partitionKeys",
    "max_concurrency_per_instance": "maxConcurrencyPerInstance",
    "error_threshold": "errorThreshold",
    "mini_batch_error_threshold": "miniBatchErrorThreshold",
    "logging_level": "loggingLevel",
    "model": "model",
}


def _parallel(node: Node, given: Body) -> Body:
    """The component's task and settings with the node's own over them."""
    spec = node.spec
    task = {**(spec.get("task") or {}), **(given.get("task") or {})}
    retry = {**(spec.get("retry_settings") or {}), **(given.get("retry_settings") or {})}
    settings = {
        camel: spec.get(name) if given.get(name) is None else given[name] for name, camel in PARALLEL_FIELDS.items()
    }
    return {
        "jobType": "Parallel",
        "task": task,
        "codeId": _code(task),
        "environmentId": str(task.get("environment") or ""),
        "maxRetries": retry.get("max_retries"),
        "timeout": retry.get("timeout"),
        **settings,
        **_surroundings(spec, given),
    }


def _code(holder: Body) -> str | None:
    """The code's id, without `azureml:` before a workspace's; that of a registry begins so itself."""
    return str(holder.get("code") or "").replace("azureml:/subscriptions", "/subscriptions", 1) or None


def _surroundings(spec: Body, given: Body) -> Body:
    """What commands and parallel steps run with."""
    variables = {**(spec.get("environment_variables") or {}), **(given.get("environment_variables") or {})}
    return {
        "environmentVariables": {name: str(value) for name, value in variables.items()},
        "resources": {**_camel(spec.get("resources")), **_camel(given.get("resources"))},
        "queueSettings": _camel(given.get("queue_settings")) or None,
        "identity": _identity(given.get("identity") or spec.get("identity")),
    }


def _camel(given: Any) -> Body:
    found = {CAMEL.get(name, name): value for name, value in (given or {}).items()}
    return {name: int(value) if name in NUMBERS else value for name, value in found.items()}


def _limits(given: Any) -> Body:
    timeout = (given or {}).get("timeout")
    if timeout in (None, ""):
        return {}
    return {"jobLimitsType": "Command", "timeout": f"PT{timeout}S" if str(timeout).isdecimal() else str(timeout)}


def with_identity_type(node: Any) -> Any:
    """A node whose identity has the `identity_type` by which azure-ai-ml reads it, also where `type` was sent."""
    identity = node.get("identity") if isinstance(node, dict) else None
    if not isinstance(identity, dict) or identity.get("type") not in IDENTITIES:
        return node
    rest = {key: value for key, value in identity.items() if key != "type"}
    return {**node, "identity": {"identity_type": IDENTITIES[identity["type"]], **rest}}


def _identity(given: Any) -> Body | None:
    found = _camel(given)
    kind = found.pop("distributionType", None) or found.get("identityType")
    return {**found, "identityType": IDENTITIES.get(str(kind), kind)} if kind else None


def _inputs(node: Node, look: Look) -> Body:
    """Values of the inputs; those that are optional and not given are left out."""
    found = {}
    for name, declared in (node.spec.get("inputs") or {}).items():
        if name in node.space():
            continue
        value = _value(node.inputs().get(name), look)
        if value is None and "default" in declared:
            value = {"jobInputType": "literal", "value": declared["default"]}
        if value is not None:
            found[name] = _typed(value, declared)
    return found


def _value(given: Any, look: Look) -> Body | None:
    if given is None:
        return None
    given = {"jobInputType": given.get("jobInputType") or given.get("job_input_type"), **given}
    bound = whole(given.get("value", given.get("uri")))
    if bound is not None:
        value = look(bound)
        return value and {**value, **({"mode": given["mode"]} if given.get("mode") else {})}
    if given["jobInputType"] in (None, "literal"):
        return {"jobInputType": "literal", "value": filled(given.get("value"), look)}
    return {key: filled(given[key], look) for key in ("jobInputType", "uri", "mode") if given.get(key)}


def _typed(value: Body, declared: Body) -> Body:
    """A value as the component declares its input: a literal, or data."""
    kind = declared.get("type")
    if kind not in DATA_TYPES:
        return {"jobInputType": "literal", "value": text_of(value)} if value["jobInputType"] != "literal" else value
    mode = value.get("mode") or _declared_mode(declared)
    return {"jobInputType": kind, "uri": text_of(value), **({"mode": mode} if mode else {})}


def _declared_mode(declared: Body) -> str | None:
    """The mode that a component has for an input or output, as jobs call it."""
    mode = declared.get("mode")
    return COMPONENT_MODES.get(str(mode), mode)


def _output(name: str, declared: Body, node: Node, pipeline: Pipeline) -> Body:
    """Where an output goes: to its own path, to that of the pipeline's output that it is, or to the default."""
    given = node.outputs().get(name) or {}
    bound = parent_output(given.get("value"))
    above = (pipeline.properties.get("outputs") or {}).get(bound) or {}
    uri = given.get("uri") or (above.get("uri") and output_uri(_as_job(pipeline), bound))
    named = above if above.get("assetName") else given  # the pipeline's name counts: test_register_output_yaml_succeed
    value = not is_data(declared)
    kind = FILE if value else declared["type"]
    found = {
        "jobOutputType": kind,
        "isValue": value,
        "mode": given.get("mode") or above.get("mode") or _declared_mode(declared),
        "uri": uri or _default_uri(name, kind, pipeline),
        "assetName": named.get("name") or named.get("assetName"),
        "assetVersion": named.get("version") or named.get("assetVersion"),
    }
    return {key: value for key, value in found.items() if value}


def _default_uri(name: str, kind: str, pipeline: Pipeline) -> str:
    """Where an output without a path goes. The one called `artifacts` is the step's `./outputs`, `./logs` and logs."""
    if name == ARTIFACTS:
        return f"azureml://datastores/{ARTIFACT_STORE}/paths/{runs.artifact_prefix('${{name}}')}/"
    return default_uri(pipeline.datastore, name, kind)


def _as_job(pipeline: Pipeline) -> Body:
    return {"name": pipeline.name, "properties": pipeline.properties}
