"""What endpoints and deployments of all kinds have in common: names, operations that run, and how they are shown."""

import copy
import re
from typing import ClassVar

from starlette.responses import Response

from sandbox.azure.arm.core import Body, Call, ResourceType
from sandbox.azure.ml import mfeoperations
from sandbox.azure.ml.endpoints import hostnames
from sandbox.azure.ml.names import workspace_id
from sandbox.azure.ml.operations import provisioning_state


class EndpointType(ResourceType):
    """An endpoint or a deployment."""

    family: ClassVar[mfeoperations.Family]
    name_pattern: ClassVar[re.Pattern[str]] = hostnames.NAME
    name_error: ClassVar[tuple[str, str]] = hostnames.NAME_ERROR
    system_data: ClassVar[bool] = True

    def present(self, call: Call, resource: Body) -> Body:
        """Shows it with the state of a running operation; of its system data what this service shows."""
        shown = copy.deepcopy(resource)
        properties, system = shown["properties"], shown["systemData"]
        properties["provisioningState"] = provisioning_state(call.cloud, resource, properties["provisioningState"])
        shown["systemData"] = {key: system[key] for key in ("createdAt", "createdBy", "lastModifiedAt")}
        return shown

    def delete_response(self, call: Call, resource: Body | None) -> Response:
        """Answers that the deletion is accepted (202)."""
        if resource is None:
            return super().delete_response(call, None)
        return self.accepted_alone(call, resource)

    def begun(self, call: Call, resource: Body) -> mfeoperations.Operation:
        """Begins an operation on it."""
        return mfeoperations.begin(call, self.family, call.resource(workspace_id(resource["id"])) or resource)

    def accepted_alone(self, call: Call, resource: Body) -> Response:
        """Begins an operation that answers nothing: accepted (202)."""
        return mfeoperations.accepted(call, self.begun(call, resource), None, status=202)
