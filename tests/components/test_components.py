"""Each component by itself, as somebody else's program would use it."""

import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re
from typing import Any

import pulumi
import pytest

import components
from catalogue import vm_sizes
from components.compute.cluster import ComputeCluster, ComputeClusterArgs
from components.compute.instance import ComputeInstanceArgs
from components.data.datastore import AdlsDatastoreArgs
from components.data.stores import Store
from department.reference import COMPONENTS
from settings.spelling import nearest
from tests.program.harness import Run, run_function


def test_every_component_is_in_the_reference() -> None:
    for module in pkgutil.walk_packages(components.__path__, "components."):
        importlib.import_module(module.name)
    made = {one for one in pulumi.ComponentResource.__subclasses__() if one.__module__.startswith("components.")}
    assert made == set(COMPONENTS)


@pytest.mark.parametrize(("component", "arguments"), COMPONENTS.items(), ids=lambda c: c.__name__)
def test_every_argument_and_output_is_described(component: type, arguments: type) -> None:
    def described(documented: type) -> list[str]:
        return re.findall(r"^    (\w+): ", (inspect.getdoc(documented) or "").partition("Attributes:")[2], re.MULTILINE)

    assert described(arguments) == [field.name for field in dataclasses.fields(arguments)]
    assert described(component) == [name for name in inspect.get_annotations(component) if not name.startswith("_")]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: c.__name__)
def test_the_example_in_its_documentation_runs(component: type[pulumi.ComponentResource]) -> None:
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(component) or "")
    source = "".join(example.source for example in examples)
    assert 5 <= len(source.splitlines()) <= 15
    namespace: dict[str, Any] = {"pulumi": pulumi}
    run = run_function(lambda: exec(source, namespace))
    [made] = run.of(f"components:{component.__name__}")
    assert made.type == f"azureml-platform:components:{component.__name__}"
    assert run.component_outputs[made.urn]
    assert run.outputs and all(isinstance(value, str) for value in run.outputs.values())
    assert all(r.parent == made.urn for r in run.resources if r is not made)


def cluster(changes: dict[str, Any] | None = None, **arguments: Any) -> Run:
    def program() -> None:
        given: dict[str, Any] = {
            "resource_group_name": "g",
            "workspace_name": "w",
            "cluster_name": "train",
            "location": "eastus2",
            "vm_size": "STANDARD_DS3_V2",
            "max_nodes": 2,
            "identity_id": "/subscriptions/s/x",
        }
        pulumi.export("size", ComputeCluster("train", ComputeClusterArgs(**{**given, **arguments})).vm_size)

    return run_function(program, changes=changes)


def test_a_cluster_is_sent_as_azure_wants_it() -> None:
    compute = cluster(priority="lowPriority", idle_minutes=15).one("Compute")
    assert compute.inputs["properties"] == {
        "computeType": "AmlCompute",
        "disableLocalAuth": True,
        "properties": {
            "vmSize": "STANDARD_DS3_V2",
            "vmPriority": "LowPriority",
            "osType": "Linux",
            "enableNodePublicIp": True,  # the SDK's default
            "remoteLoginPortPublicAccess": "Disabled",
            "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 2, "nodeIdleTimeBeforeScaleDown": "PT900S"},
        },
    }
    assert compute.inputs["identity"] == {"type": "UserAssigned", "userAssignedIdentities": ["/subscriptions/s/x"]}


def test_size_priority_and_network_make_a_cluster_anew_the_old_one_first() -> None:
    request = cluster().one("Compute").request
    assert set(request.replaceOnChanges) == {
        "properties.properties.vmSize",
        "properties.properties.vmPriority",
        "properties.properties.subnet",
        "properties.properties.enableNodePublicIp",
        "identity",
    }
    assert request.deleteBeforeReplace


def test_a_cluster_refuses_nodes_that_stay() -> None:
    with pytest.raises(ValueError, match="cluster 'train': min_nodes is always 0, not 1"):
        cluster(min_nodes=1)


def test_a_cluster_that_came_back_with_its_old_size_is_told() -> None:
    old = {"train": {"properties": {"computeType": "AmlCompute", "properties": {"vmSize": "STANDARD_D13_V2"}}}}
    with pytest.raises(pulumi.RunError, match=r"STANDARD_D13_V2, not STANDARD_DS3_V2.*az ml compute delete"):
        cluster(changes=old)


def test_a_size_in_other_letter_case_is_the_same() -> None:
    same = {"train": {"properties": {"computeType": "AmlCompute", "properties": {"vmSize": "Standard_DS3_v2"}}}}
    assert cluster(changes=same).outputs == {"size": "Standard_DS3_v2"}


def test_an_instance_always_stops() -> None:
    for minutes in (14, 4321):
        with pytest.raises(ValueError, match=f"instance 'n': idle_minutes is 15 to 4320, not {minutes}"):
            ComputeInstanceArgs("g", "w", "n", "eastus2", "STANDARD_DS3_V2", "o", "t", idle_minutes=minutes)


def test_a_datastore_of_no_file_system_is_refused() -> None:
    with pytest.raises(ValueError, match="datastore 'Sales': no file system 'sale' among"):
        AdlsDatastoreArgs("g", "w", "eastus2", ["sales"], "account", datastores={"Sales": Store("sale")})


def test_a_lake_is_made_or_exists() -> None:
    with pytest.raises(ValueError, match="either account_name"):
        AdlsDatastoreArgs("g", "w", "eastus2", ["sales"])
    with pytest.raises(ValueError, match="either account_name"):
        AdlsDatastoreArgs("g", "w", "eastus2", ["sales"], "account", "/subscriptions/s/x")


def test_the_table_of_vm_sizes_is_sound() -> None:
    sizes = vm_sizes.known()
    assert len(sizes) > 250
    for name, size in sizes.items():
        assert name == name.upper() == size.name
        assert size.vcpus > 0 and size.memory > 0
        assert bool(size.gpus) == bool(size.gpu)
        assert (size.retired is None) == (size.successor == "")
        if size.successor:
            assert sizes[size.successor].retired is None
    assert (sizes["STANDARD_DS3_V2"].vcpus, sizes["STANDARD_DS3_V2"].memory) == (4, 14)
    assert vm_sizes.find("Standard_d13_v2") is sizes["STANDARD_D13_V2"]
    assert nearest("STANDARD_DS3V2", vm_sizes.known()) == "STANDARD_DS3_V2"
    assert nearest("potato", vm_sizes.known()) is None
