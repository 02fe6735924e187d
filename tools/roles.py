"""Azure's built-in roles as the sandbox has them, read again from Azure: `python -m tools.roles`.

Built-in roles are the same in every tenant, and every signed-in principal may read them
(learn.microsoft.com/rest/api/authorization/role-definitions/get-by-id).
"""

import json
import sys
from pathlib import Path
from typing import Any

from operations.resourcemanager import AzureRefusedError, Send, body_of, signed_in
from terminal import write_whole

ROLES = Path(__file__).resolve().parents[1] / "sandbox" / "azure" / "access" / "roles.json"
_API = "2022-04-01"
_LISTS = ("actions", "notActions", "dataActions", "notDataActions")


def read_again(send: Send, ids: list[str]) -> dict[str, Any]:
    """The roles by id, with name, description and permissions.

    Raises:
        AzureRefusedError: Azure does not know one of them, or does not answer.
    """
    roles = {}
    for id_ in ids:
        path = f"/providers/Microsoft.Authorization/roleDefinitions/{id_}?api-version={_API}"
        properties = body_of(send("GET", path, None))["properties"]
        roles[id_] = {
            "roleName": properties["roleName"],
            "description": properties["description"],
            "permissions": [{key: part.get(key) or [] for key in _LISTS} for part in properties["permissions"]],
        }
    return roles


def main() -> int:
    """Write the file; exit code 1 if Azure does not tell the roles, and then the file stays."""
    try:
        roles = read_again(signed_in(), list(json.loads(ROLES.read_text(encoding="utf-8"))))
    except AzureRefusedError as error:
        print(f"error: the built-in roles cannot be read: {error}", file=sys.stderr)
        return 1
    write_whole(ROLES, json.dumps(roles, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(roles)} built-in roles written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
