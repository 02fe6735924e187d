"""`python -m policies check`: a stack judged from a file, without an engine."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from policies import config, offline, values
from tests.policies.analyzer import ROOT
from tests.policies.documents import FORMS, preview, resource, state, urn

COMPUTE = "azure-native:machinelearningservices:Compute"
RULE = "machinelearning-compute-enforce-min-nodes-zero"
Form = Callable[[Sequence[Mapping[str, Any]]], str]


def cluster(name: str = "cpu", nodes: Any = 0, **more: Any) -> dict[str, Any]:
    scale = {"minNodeCount": nodes, "maxNodeCount": 2, "nodeIdleTimeBeforeScaleDown": "PT120S"}
    properties = {"vmSize": "STANDARD_DS3_V2", "scaleSettings": scale}
    inputs = {"properties": {"computeType": "AmlCompute", "disableLocalAuth": True, "properties": properties}}
    return resource(COMPUTE, name, inputs, **more)


@pytest.fixture
def only(tmp_path: Path) -> Path:
    """A configuration with that rule alone."""
    file = tmp_path / "only.json"
    file.write_text(json.dumps({"all": "disabled", RULE: "mandatory"}))
    return file


def check(*words: str, file: Path | None = None, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "policies", "check", str(file or "-"), *words]
    return subprocess.run(command, input=given, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        (0, []),
        (2, [(RULE, "violation", "mandatory")]),
        ("[secret]", [(RULE, "undecided", "advisory")]),
        ("[unknown]", [(RULE, "undecided", "advisory")]),
        ("output<string>", [(RULE, "undecided", "advisory")]),
        ("04da6b54-80e4-46f7-96ec-b56ff0331ba9", [(RULE, "undecided", "advisory")]),
        ({"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x:y"},
         [(RULE, "undecided", "advisory")]),
        ({"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": "2"},
         [(RULE, "violation", "mandatory")]),
        ({"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4"}, [(RULE, "undecided", "advisory")]),
    ],
)  # fmt: skip
def test_state_preview_and_event_log_are_judged_alike(
    form: Form, nodes: Any, told: list[tuple[str, str, str]], only: Path
) -> None:
    given = offline.load_config(only)
    report = offline.evaluate(offline.parse_graph(form([cluster(nodes=nodes)]), "it"), given)
    assert [(one.rule.name, one.kind, str(one.level)) for one in report.findings] == told
    assert report.blocks == bool([level for _, _, level in told if level == "mandatory"])


@pytest.mark.parametrize(("nodes", "code"), [(0, 0), (2, 1), ("[secret]", 0)])
def test_the_exit_code_tells_of_a_mandatory_violation(nodes: Any, code: int, only: Path) -> None:
    done = check("--config", str(only), given=state([cluster(nodes=nodes)]))
    assert done.returncode == code
    assert (f"mandatory {RULE}" in done.stdout) == bool(code)
    assert done.stderr == ""


def test_the_report_names_resource_rule_value_and_fix(only: Path) -> None:
    told = check("--config", str(only), given=state([cluster(nodes=2)])).stdout
    for part in (
        urn(COMPUTE, "cpu"),
        RULE,
        "minNodeCount is 2",
        "Set the cluster's minNodeCount to 0",
        "dev: 1 mandatory",
    ):
        assert part in told


def test_the_stack_in_the_file_chooses_the_configuration() -> None:
    found = json.loads(check("--json", given=state([cluster()])).stdout)
    rules = {one["rule"] for one in found["findings"]}
    assert {"azure-resource-require-tags", "machinelearning-compute-disable-remote-login"} <= rules
    assert found["stack"] == "dev"
    other = state([cluster()]).replace(":dev::", ":elsewhere::")
    done = check("--json", given=other)
    assert "no configuration for the stack 'elsewhere'" in done.stderr
    assert "azure-resource-require-tags" not in done.stdout


def test_what_a_preview_leaves_out_is_told_and_nothing_is_missed_for_it() -> None:
    account = "azure-native:storage:StorageAccount"
    workspace = resource("azure-native:machinelearningservices:Workspace", "ws", {"publicNetworkAccess": "Disabled"})
    document = json.loads(preview([resource(account, "a", {"minimumTlsVersion": "TLS1_2"}), workspace]))
    document["changeSummary"]["same"] = 3
    done = check("--json", given=json.dumps(document))
    report = json.loads(done.stdout)
    assert report["missing"] == "the preview leaves out 3 unchanged resources; run it with --show-sames"
    logs = [one for one in report["findings"] if one["rule"] == "machinelearning-workspace-require-diagnostics"]
    assert [one["kind"] for one in logs] == ["undecided"]


def test_what_is_deleted_or_only_read_is_not_judged(only: Path) -> None:
    given = offline.load_config(only)
    gone = {**cluster("gone", nodes=2), "delete": True}
    read = {**cluster("read", nodes=2), "external": True}
    assert offline.evaluate(offline.parse_graph(state([gone, read]), "it"), given).findings == ()
    steps = [{"op": "delete", "urn": urn(COMPUTE, "gone"), "oldState": cluster("gone", nodes=2)}]
    assert offline.evaluate(offline.parse_graph(json.dumps({"steps": steps}), "it"), given).findings == ()
    metadata = {
        "op": "delete",
        "urn": urn(COMPUTE, "gone"),
        "type": COMPUTE,
        "old": cluster("gone", nodes=2),
        "new": None,
    }
    events: list[dict[str, Any]] = [{"resourcePreEvent": {"metadata": metadata}}, {"summaryEvent": {}}]
    log = "".join(json.dumps(one) + "\n" for one in events)
    assert offline.evaluate(offline.parse_graph(log, "it"), given).findings == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_as_windows_writes_it(encoding: str, tmp_path: Path, only: Path) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(state([cluster(nodes=2)]).replace("\n", "\r\n").encode(encoding))
    assert check("--config", str(only), file=file).returncode == 1


@pytest.mark.parametrize(("content", "code"), [(b"\xff\xfe\x00", 2), ("utf-16", 1), ("utf-8-sig", 1)])
def test_standard_input_is_read_as_a_file_is(content: bytes | str, code: int, only: Path) -> None:
    given = content if isinstance(content, bytes) else state([cluster(nodes=2)]).encode(content)
    command = [sys.executable, "-m", "policies", "check", "-", "--config", str(only)]
    done = subprocess.run(command, input=given, capture_output=True, cwd=ROOT, check=False, timeout=60)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr and (code == 1 or b"standard input is no text" in done.stderr)


@pytest.mark.parametrize("nodes", [float("inf"), float("nan"), [[2]], {"a": [[]]}, "2", -1])
def test_an_odd_value_is_no_pass_and_no_crash(nodes: Any) -> None:
    entries = {
        "all": "disabled",
        RULE: "mandatory",
        "machinelearning-stack-limit-nodes": {"enforcementLevel": "mandatory", "maxNodes": 1},
    }
    odd = cluster(nodes=nodes)
    odd["inputs"]["properties"]["properties"]["scaleSettings"]["maxNodeCount"] = nodes
    report = offline.evaluate(offline.parse_graph(state([odd]), "it"), config.from_entries(entries, "it"))
    assert report.blocks


@pytest.mark.parametrize("reference", [{"urn": "u", "id": "/accounts/one"}, {"urn": "u", "id": ""}, {"urn": "u"}])
def test_a_reference_to_a_resource_stands_for_its_id(reference: dict[str, str]) -> None:
    read = values.read({"4dabf18193072939515e22adb298388d": "5cf8f73096256a8f31e491e813e4eb8e", **reference})
    assert read == "/accounts/one" if reference.get("id") else isinstance(read, values.Unknown)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("{", "is no valid JSON"),
        ("[1, 2]", "is no stack"),
        ("{}", "is no stack"),
        ('"text"', "is no stack"),
        ('{"deployment": {"resources": [{"inputs": {}}]}}', "is damaged: KeyError"),
        ('{"deployment": {"resources": 5}}', "is damaged"),
        ('{"deployment": {"resources": [null]}}', "is damaged"),
        ("[" * 100_000, "is damaged: RecursionError"),
        ('{"sequence": 1}\n{', "has no summary"),
        ('{"sequence": 1}\n{\n{"sequence": 2}', "line 2, is no valid JSON"),
    ],
)
def test_a_file_that_is_no_stack_is_one_message(content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "it.json"
    file.write_text(content)
    done = check(file=file)
    assert said in done.stdout + done.stderr and "Traceback" not in done.stderr
    if "summary" not in said:
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"error: {file}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--json", "--sarif"], "not both"),
        (["--for-upload"], "is for --sarif"),
        (["--stack", "dev", "--config", "x.json"], "not both"),
        (["--config", "nowhere.json"], "nowhere.json cannot be read"),
        (["--stack", "nowhere"], "nowhere.json cannot be read"),
    ],
)
def test_wrong_usage_is_one_message(words: list[str], said: str) -> None:
    done = check(*words, given=state([]))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_is_one_message(tmp_path: Path) -> None:
    done = check(file=tmp_path / "state.json")
    assert done.returncode == 2
    assert done.stderr == f"error: {tmp_path / 'state.json'} cannot be read: No such file or directory\n"
