"""Whether what happens in a workspace is recorded."""

from policies.baseline import controls
from policies.links import leading_to, missing, open_lead
from policies.model import (
    Counterpart,
    Level,
    NotApplicableError,
    Outcome,
    Problem,
    Settings,
    Severity,
    StackRule,
    Undecided,
)
from policies.resources import Graph, Resource
from policies.rules.checks import alike
from policies.rules.workspace import WORKSPACE

SETTING = "monitor:DiagnosticSetting"


def _logs(graph: Graph, _settings: Settings) -> Outcome:
    workspaces = [one for one in graph.of(WORKSPACE) if not alike(one.inputs.get("kind"), "Project")]
    if not workspaces:
        raise NotApplicableError("the stack has no workspace")
    for workspace in workspaces:
        found = list(leading_to(graph, SETTING, "resourceUri", workspace))
        if any(map(_has_logs, found)):
            continue
        if open_ := open_lead(graph, SETTING, "resourceUri", "logs"):
            yield Undecided(open_.path, str(open_), workspace)
        else:
            message = (
                "a diagnostic setting has no logs on" if found else "no diagnostic setting records the workspace's logs"
            )
            yield from missing(graph, Problem(message, resource=workspace))


def _has_logs(setting: Resource) -> bool:
    logs = setting.inputs.get("logs")
    return any(isinstance(one, dict) and one.get("enabled") is True for one in (logs if isinstance(logs, list) else ()))


RULES = (
    StackRule(
        name="machinelearning-workspace-require-diagnostics",
        title="The logs of workspaces are collected.",
        check=_logs,
        severity=Severity.MEDIUM,
        level=Level.ADVISORY,
        counterparts=(
            Counterpart("Azure Policy", "afe0c3be-ba3b-4544-ba52-0c99672a8ad6", "Theirs looks at the retention, too."),
            *controls("LT-4"),
        ),
        url="https://learn.microsoft.com/azure/machine-learning/monitor-azure-machine-learning",
        remediation="Create a diagnostic setting for the workspace that sends its logs to a Log Analytics workspace.",
        applies="Workspaces and hubs of the program.",
    ),
)
