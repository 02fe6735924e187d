"""`python -m policies config`: layers, the merged file, and who says which VM sizes are allowed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from policies import baseline, config, pack
from tests.policies.analyzer import ROOT

SIZES = "machinelearning-compute-allow-vm-sizes"
NODES = "machinelearning-compute-limit-max-nodes"


def run(*words: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "policies", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, timeout=60)


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    layer(folder, "base", {"all": {"teamTag": "team"}, NODES: {"enforcementLevel": "mandatory", "maxNodes": 8}})
    layer(
        folder,
        "live",
        {NODES: {"maxNodes": 2}, SIZES: {"enforcementLevel": "mandatory", "allowed": ["Standard_DSv2*"]}},
    )
    return folder


def layer(folder: Path, name: str, entries: Any) -> None:
    (folder / f"{name}.json").write_text(json.dumps(entries), encoding="utf-8")


def test_a_stack_lies_on_the_base(layers: Path) -> None:
    done = run("config", "--stack", "live", "--folder", layers)
    merged = json.loads(done.stdout)
    assert merged.keys() == pack.rules().keys()
    assert merged[NODES] == {"enforcementLevel": "mandatory", "maxNodes": 2}
    assert merged[SIZES]["teamTag"] == "team"
    assert config.from_entries(merged, "it")[NODES].settings["maxNodes"] == 2


def test_strictness_for_all_is_written_out_for_the_rules_that_can_block(layers: Path) -> None:
    https = "storage-account-require-https"
    layer(
        layers, "live", {"all": {"strict": True}, NODES: "advisory", "storage-account-require-https": {"strict": False}}
    )
    merged = config.merged("live", layers)
    assert "strict" not in merged[NODES]
    assert "strict" not in merged[https]
    assert merged["storage-account-require-tls12"]["strict"] is True


def test_the_committed_files_are_fresh_and_the_stack_files_agree() -> None:
    done = run("config", "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stale_merged_file_is_told_and_mended(layers: Path) -> None:
    target = layers / "merged" / "live.json"
    assert run("config", "--check", "--folder", layers).returncode == 1
    assert run("config", "--write", "--folder", layers).returncode == 0
    assert run("config", "--check", "--folder", layers).returncode == 0
    layer(
        layers,
        "base",
        {NODES: {"enforcementLevel": "mandatory", "maxNodes": 8}, "keyvault-vault-require-rbac": "advisory"},
    )
    done = run("config", "--check", "--folder", layers)
    assert done.returncode == 1
    assert done.stderr == (f"error: {target} is stale: run `python -m policies config --stack live --write`\n")


@pytest.mark.parametrize(
    ("sizes", "odd"), [(["STANDARD_DS3_V2"], None), (["STANDARD_DS3_V2", "STANDARD_NV6"], "STANDARD_NV6")]
)
def test_a_stack_file_may_allow_less_than_the_pack_and_never_more(
    layers: Path, sizes: list[str], odd: str | None
) -> None:
    file = layers.parent / "Pulumi.live.yaml"
    listed = "".join(f"      - {size}\n" for size in sizes)
    file.write_text(f"config:\n  azureml-platform:department:\n    allowedVmSizes:\n{listed}")
    assert run("config", "--write", "--folder", layers).returncode == 0
    done = run("config", "--check", "--folder", layers)
    assert done.returncode == bool(odd)
    if odd:
        assert done.stderr == (
            f"error: {file}:5: allowedVmSizes has {odd}, which {SIZES} in {layers / 'live.json'} does not allow; the "
            "pack's list is the authority: take the size out of the stack file, or have it added there\n"
        )


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({NODES.replace("limit", "limits"): "mandatory"}, f"did you mean '{NODES}'?"),
        ({NODES: 3}, f"{NODES} must be a level or an object, it is 3"),
        ({NODES: "madatory"}, "enforcementLevel is 'madatory', allowed are disabled, advisory, mandatory, remediate"),
        ({NODES: {"maxNodes": "two"}}, "'maxNodes' must be a whole number, it is 'two'"),
        ({NODES: {"maxNode": 2}}, "did you mean 'maxNodes'?"),
        ({"all": {"strikt": True}}, "did you mean 'strict'?"),
        (
            {"azure-resource-match-name-pattern": {"patterns": {"storage:StorageAcount": "^a"}}},
            "'storage:StorageAccount'",
        ),
        (
            {"machinelearning-stack-limit-vcpus": {"families": {"standardDSv2Famly": 1}}},
            "did you mean 'standardDSv2Family'?",
        ),
        (
            {"authorization-assignment-limit-principals": {"principals": {"Usr": ["Reader"]}}},
            "the key 'Usr', which must",
        ),
        ({"all": {"exemptions": []}}, "'all' cannot have exemptions"),
        ([], "must be a JSON object"),
        ({SIZES: {"enforcementLevel": "mandatory", "allowed": ["D3"]}}, "'allowed'[0] is 'D3', it must match"),
    ],
)
def test_a_wrong_layer_is_one_message_that_names_it(layers: Path, entries: Any, said: str) -> None:
    layer(layers, "live", entries)
    done = run("config", "--stack", "live", "--folder", layers)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {layers / 'live.json'}")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "is no valid JSON"),
        (b'{"all": "advisory", "all": "mandatory"}', "'all' stands there twice"),
        (b"\xff\xfe\x00", "is no text"),
        (b"[" * 100_000, "is no valid JSON"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_no_configuration_is_told(layers: Path, content: bytes | None, said: str) -> None:
    (layers / "live.json").unlink()
    if content is not None:
        (layers / "live.json").write_bytes(content)
    done = run("config", "--stack", "live", "--folder", layers)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and str(layers / "live.json") in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_as_windows_writes_them(layers: Path, encoding: str) -> None:
    text = (layers / "live.json").read_text().replace(", ", ",\r\n")
    (layers / "live.json").write_bytes(text.encode(encoding))
    assert run("config", "--stack", "live", "--folder", layers).returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["config"], "say which stack: python -m policies config --stack dev|prod"),
        (["config", "--stack", "nowhere"], "nowhere.json cannot be read"),
        (["explain", "storage-account-require-tls"], "did you mean 'storage-account-require-tls12'?"),
        (["explain"], "Missing argument"),
        (["frobnicate"], "No such command"),
    ],
)
def test_wrong_usage_is_one_message_and_code_2(words: list[str], said: str) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and "Traceback" not in done.stderr


def test_each_control_of_the_baseline_has_a_rule_or_a_reason() -> None:
    for id_, control in baseline.CONTROLS.items():
        answered = any(baseline.answers(rule, id_) for rule in pack.rules().values())
        assert answered != bool(control.why_none), id_


def test_list_and_explain_tell_of_every_rule() -> None:
    listed = json.loads(run("list", "--json").stdout)
    assert [one["name"] for one in listed] == list(pack.rules())
    plain = run("explain", "storage-account-disable-public-blobs").stdout
    for told in ("PSRule AZR-000198", "FileStorage", "allowBlobPublicAccess", "learn.microsoft.com", "exemptions"):
        assert told in plain
    assert set(run("list").stdout.split()) >= set(pack.rules())
