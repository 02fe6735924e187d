"""The components' reference, made from their documentation."""

import inspect
import re
import textwrap

from components.compute.cluster import ComputeCluster, ComputeClusterArgs
from components.compute.instance import ComputeInstance, ComputeInstanceArgs
from components.data.datastore import AdlsDatastore, AdlsDatastoreArgs
from components.identity.access import DataScientistRole, DataScientistRoleArgs
from components.identity.serviceprincipal import ServicePrincipal, ServicePrincipalArgs
from components.network.endpoints import PrivateLinks, PrivateLinksArgs
from components.workspace.arguments import TeamWorkspaceArgs
from components.workspace.modelregistry import ModelRegistry, ModelRegistryArgs
from components.workspace.shared import SharedServices, SharedServicesArgs
from components.workspace.workspace import TeamWorkspace

COMPONENTS = {
    TeamWorkspace: TeamWorkspaceArgs,
    ComputeCluster: ComputeClusterArgs,
    ComputeInstance: ComputeInstanceArgs,
    AdlsDatastore: AdlsDatastoreArgs,
    DataScientistRole: DataScientistRoleArgs,
    ServicePrincipal: ServicePrincipalArgs,
    PrivateLinks: PrivateLinksArgs,
    SharedServices: SharedServicesArgs,
    ModelRegistry: ModelRegistryArgs,
}

_INTRO = """# Components

The platform's parts, to be used in any Pulumi program: copy or import `components/`, give each its arguments object.
All are below one parent, take an azure-native provider by `providers`, and make nothing but what their arguments say.
The examples run in the tests.

This page is generated from the code: `python -m department docs`.
"""


def reference() -> str:
    """The components' reference, in Markdown."""
    parts = [_INTRO]
    for component, arguments in COMPONENTS.items():
        about, example, outputs = _sections(component)
        parts += [f"## {component.__name__}", about, "```python", example, "```"]
        parts += [
            (f"### Arguments: {arguments.__name__}"),
            _items(_sections(arguments)[2]),
            "### Outputs",
            _items(outputs),
        ]
    return "\n\n".join(parts).replace("```python\n\n", "```python\n").replace("\n\n```\n", "\n```\n") + "\n"


def _sections(documented: type) -> tuple[str, str, str]:
    """Text, example and attributes of a class's documentation."""
    text = inspect.getdoc(documented) or ""
    about, _, attributes = text.partition("Attributes:\n")
    about, _, example = about.partition("Example:\n")
    code = re.sub(r"^(>>>|\.\.\.) ?", "", textwrap.dedent(example), flags=re.MULTILINE)
    return about.strip(), code.strip(), textwrap.dedent(attributes)


def _items(attributes: str) -> str:
    """`name: meaning` entries, whose meaning may go on in indented lines, as a list."""
    joined = re.sub(r"\n +", " ", attributes.strip())
    return "\n".join(re.sub(r"^(\w+): ", r"- `\1`: ", line) for line in joined.splitlines())
