"""Custom roles."""

from policies.baseline import controls
from policies.model import Counterpart, Outcome, Problem, ResourceRule, Settings, Severity, Undecided
from policies.resources import Graph, Resource
from policies.rules.checks import show
from policies.values import Unknown, UnknownValueError, known


def _wildcard(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    permissions = resource.get("permissions")
    for index, permission in enumerate(permissions if isinstance(permissions, list) else ()):
        if isinstance(permission, Unknown):
            raise UnknownValueError(f"permissions[{index}]", permission.kind)
        for part in ("actions", "dataActions"):
            path = f"permissions[{index}].{part}"
            try:
                actions = known(permission.get(part), path)
            except UnknownValueError as error:
                yield Undecided(error.path, str(error))
                continue
            for action in actions or ():
                if too_wide(action):
                    yield Problem(f"{path} has {show(action)}; name the provider and the type of resource", path)


def too_wide(action: str) -> bool:
    """Whether an action is for every provider, other than to read, such as `*` or `*/write`."""
    return action.startswith("*") and action.casefold() != "*/read"


RULES = (
    ResourceRule(
        name="authorization-role-refuse-wildcard",
        title="No custom role may do everything.",
        kinds=("authorization:RoleDefinition",),
        check=_wildcard,
        severity=Severity.CRITICAL,
        counterparts=(
            Counterpart(
                "checkov",
                "CKV_AZURE_39",
                "Theirs is for roles that a subscription can assign, and for the action '*' only.",
            ),
            *controls("PA-7"),
        ),
        url="https://learn.microsoft.com/azure/role-based-access-control/custom-roles",
        remediation="List the actions that are needed, each with its resource provider.",
        applies="Custom roles.",
    ),
)
