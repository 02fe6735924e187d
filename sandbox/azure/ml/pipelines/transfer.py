"""Data transfer nodes: they copy data between datastores, or bring it in from outside, without a command.

Source: azure-ai-ml 1.35.2, `constants/_component.py` and `_schema/component/data_transfer_component.py`.
"""

import re

from sandbox.azure.arm.core import Body

TRANSFER = "data_transfer"
COPY, GATHER = "copy_data", "gather"
"""The tasks that are carried out. The second is the sandbox's own: what the rounds of a parallel_for put out."""
MERGE, CONFLICT = "merge_with_overwrite", "fail_if_conflict"
_SINK, _FOLDER = "sink", "uri_folder"
_BUILT_IN: dict[str, Body] = {
    "import_data_database": {"task": "import_data", "outputs": {_SINK: {"type": "mltable"}}},
    "import_data_file_system": {"task": "import_data", "outputs": {_SINK: {"type": _FOLDER}}},
    "export_data_database": {"task": "export_data", "inputs": {"source": {"type": "uri_file"}}},
}
_ADDRESS = re.compile(r"azureml://registries/azureml/components/(?P<name>\w+)/versions/(?P<version>[\w.-]+)")


def built_in(component_id: str) -> Body | None:
    """A component of the service's own that a data transfer names; None for any other."""
    found = _ADDRESS.fullmatch(component_id)
    if found is None or found["name"] not in _BUILT_IN:
        return None
    return component(component_id, found["name"], found["version"], _BUILT_IN[found["name"]])


def component(id_: str, name: str, version: str, spec: Body) -> Body:
    """A component that is not stored anywhere."""
    whole = {"type": TRANSFER, "name": name, "version": version, **spec}
    return {"id": id_, "name": version, "properties": {"componentSpec": whole}}


def gathering(given: Body, rounds: list[str], outputs: Body) -> tuple[Body, Body]:
    """What the node of a parallel_for becomes: the node as it would be sent, and its component.

    Source: azure-ai-ml's parallel_for.py: files and folders become an mltable, values a text with all of them.

    Args:
        given: The parallel_for.
        rounds: The nodes that it gathers.
        outputs: The outputs that their component declares.
    """
    inputs = {
        f"{name}_{number}": {
            "job_input_type": "literal",
            "value": f"${{{{parent.jobs.{one}.outputs.{name}}}}}",
            "mode": "Direct",
        }
        for name in outputs
        for number, one in enumerate(rounds)
    }
    declared = {name: outputs[name.rpartition("_")[0]] for name in inputs}
    gathered = {name: {"type": "mltable" if is_data(one) else "string"} for name, one in outputs.items()}
    spec = {"task": GATHER, "inputs": declared, "outputs": gathered}
    node = {"type": TRANSFER, "inputs": inputs, "outputs": given.get("outputs") or {}}
    return node, component("", "gather", "1", spec)


PRIMITIVES = ("boolean", "integer", "number", "string")


def is_data(declared: Body) -> bool:
    """Whether an output is data, and no value that other nodes and conditions can read."""
    return declared.get("type") not in (None, *PRIMITIVES)
