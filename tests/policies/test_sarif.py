"""SARIF: valid by OASIS's schema, with what GitHub's code scanning reads."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from policies import config, offline, sarif
from policies.cli import main
from tests.policies.documents import resource, state

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0-rtm.5.json").read_text())
ACCOUNT = "azure-native:storage:StorageAccount"
TLS, HTTPS, BLOBS = (
    "storage-account-require-tls12",
    "storage-account-require-https",
    "storage-account-disable-public-blobs",
)
RIGHT = {"minimumTlsVersion": "TLS1_2", "allowBlobPublicAccess": False, "allowSharedKeyAccess": False}
EXEMPT = {"resource": "*::old", "reason": "A client is replaced", "owner": "ops", "expires": "2999-12-31"}


@pytest.fixture
def report() -> offline.Report:
    """A violation, an exempted one, one that is advisory, and one that is not decided."""
    old = {**RIGHT, "minimumTlsVersion": "TLS1_0", "allowSharedKeyAccess": True}
    accounts = [
        resource(ACCOUNT, "old", old),
        resource(ACCOUNT, "bad", {**RIGHT, "allowBlobPublicAccess": True}),
        resource(ACCOUNT, "open", {**RIGHT, "enableHttpsTrafficOnly": "[secret]"}),
    ]
    graph = offline.parse_graph(state(accounts), "state.json")
    return offline.evaluate(graph, config.from_entries({TLS: {"exemptions": [EXEMPT]}}, "it"))


def log(report: offline.Report, *, for_upload: bool = False) -> dict[str, Any]:
    return sarif.sarif(report, lambda _: sarif.Place("Pulumi.dev.yaml", 7, 3), for_upload=for_upload)


def test_it_is_valid_and_tells_each_kind_of_finding(report: offline.Report) -> None:
    found = log(report)
    jsonschema.Draft4Validator(SCHEMA).validate(found)
    [run] = found["runs"]
    told = {(one["ruleId"], one["kind"], one["level"], "suppressions" in one) for one in run["results"]}
    assert told == {
        (TLS, "fail", "warning", True),
        ("storage-account-disable-shared-key", "fail", "warning", False),
        (BLOBS, "fail", "error", False),
        (HTTPS, "open", "none", False),
    }
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for one in run["results"]:
        assert rules[one["ruleIndex"]] == one["ruleId"]
        assert one["partialFingerprints"]
        place = one["locations"][0]["physicalLocation"]
        assert (place["artifactLocation"]["uri"], place["region"]) == (
            "Pulumi.dev.yaml",
            {"startLine": 7, "startColumn": 3},
        )
    assert all(float(rule["properties"]["security-severity"]) for rule in run["tool"]["driver"]["rules"])


def test_an_exempted_finding_says_why_who_and_until_when(report: offline.Report) -> None:
    [exempted] = [one for one in log(report)["runs"][0]["results"] if "suppressions" in one]
    assert exempted["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "A client is replaced (owner ops, expires 2999-12-31)",
        }
    ]


def test_the_file_for_upload_leaves_exempted_findings_out(report: offline.Report) -> None:
    found = log(report, for_upload=True)
    jsonschema.Draft4Validator(SCHEMA).validate(found)
    [run] = found["runs"]
    assert TLS not in {one["ruleId"] for one in run["results"]}
    assert TLS not in {rule["id"] for rule in run["tool"]["driver"]["rules"]}


def test_a_stack_that_keeps_every_rule_is_a_valid_run_without_results() -> None:
    graph = offline.parse_graph(state([]), "it")
    found = log(offline.evaluate(graph, offline.default_config()))
    jsonschema.Draft4Validator(SCHEMA).validate(found)
    assert found["runs"][0]["results"] == []


def test_a_finding_keeps_its_fingerprint_and_no_two_share_one(report: offline.Report) -> None:
    prints = [sarif.fingerprint(finding) for finding in report.findings]
    assert len(set(prints)) == len(prints)
    assert prints == [sarif.fingerprint(finding) for finding in report.findings]


def test_the_command_places_findings_at_the_resource_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a state.json"
    file.write_text(state([resource(ACCOUNT, "bad", {**RIGHT, "allowBlobPublicAccess": True})]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["policies", "check", str(file), "--sarif", "--stack", "dev"])
    assert main() == 1
    found = json.loads(capsys.readouterr().out)
    jsonschema.Draft4Validator(SCHEMA).validate(found)
    [public] = [one for one in found["runs"][0]["results"] if one["ruleId"] == BLOBS]
    place = public["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20state.json"
    assert "::bad" in file.read_text().splitlines()[place["region"]["startLine"] - 1]
    assert found["runs"][0]["automationDetails"]["id"] == "policies/dev/"
