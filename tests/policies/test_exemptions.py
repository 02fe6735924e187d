"""Exemptions: who may break a rule for a while, and what becomes of them, in Pulumi's process and offline."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from policies import config, offline
from tests.policies.analyzer import Analyzer, running
from tests.policies.documents import FORMS, resource, state
from tests.policies.platform import clean, everything

RULE = "storage-account-require-tls12"
EXPIRED, UNUSED = "policy-exemption-refuse-expired", "policy-exemption-refuse-unused"
TOMORROW, YESTERDAY = (str(date.today() + timedelta(days=days)) for days in (1, -1))
ACCOUNT = "azure-native:storage:StorageAccount"


def exemption(pattern: str = "*::ownstore", expires: str = TOMORROW, **more: Any) -> dict[str, Any]:
    return {"resource": pattern, "reason": "A client is replaced in March", "owner": "ops", "expires": expires, **more}


@pytest.fixture(scope="module")
def process() -> Iterator[Analyzer]:
    with running() as analyzer:
        yield analyzer


def told(process: Analyzer, *exemptions: dict[str, Any], breaks: bool = True) -> list[tuple[str, str, str]]:
    """(rule, level, message) for the platform, which has an account with an old TLS."""
    process.configure(everything(**{RULE: {"exemptions": list(exemptions)}}))
    platform = clean()
    if breaks:
        platform.set("ownstore", "minimumTlsVersion", "TLS1_0")
    return [(name, level, message) for name, level, _, message in process.run(platform).all]


@pytest.mark.parametrize(
    "pattern",
    ["*::ownstore", "urn:pulumi:dev::shop::azure-native:storage:StorageAccount::ownstore", "*StorageAccount::own*"],
)
def test_an_exempted_violation_is_told_and_does_not_block(process: Analyzer, pattern: str) -> None:
    [(rule, level, message)] = told(process, exemption(pattern))
    assert (rule, level) == (RULE, "advisory")
    assert f"Exempted until {TOMORROW} by ops: A client is replaced in March" in message


def test_an_exemption_holds_for_its_last_day_and_no_longer(process: Analyzer) -> None:
    assert [level for _, level, _ in told(process, exemption(expires=str(date.today())))] == ["advisory"]
    assert [(rule, level) for rule, level, _ in told(process, exemption(expires=YESTERDAY))] == [
        (RULE, "mandatory"),
        (EXPIRED, "mandatory"),
    ]


def test_an_exemption_that_is_of_no_use_is_a_violation(process: Analyzer) -> None:
    [(rule, level, message)] = told(process, exemption(), breaks=False)
    assert (rule, level) == (UNUSED, "mandatory")
    assert f"{RULE} for *::ownstore (owner ops, expires {TOMORROW}) matches no violation" in message


def test_an_exemption_is_for_its_own_rule_and_resource_alone(process: Analyzer) -> None:
    found = told(process, exemption("*::manstore"))
    assert {(rule, level) for rule, level, _ in found} == {(RULE, "mandatory"), (UNUSED, "mandatory")}


def test_each_look_judges_the_exemptions_anew(process: Analyzer) -> None:
    assert [rule for rule, _, _ in told(process, exemption())] == [RULE]
    process.run(clean())
    assert [name for name, *_ in process.run(clean()).all] == [UNUSED]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"resource": "*"}, "must have 'reason'"),
        (exemption(reason="because"), "reason must have at least 10 characters"),
        (exemption(owner="  "), "owner must have at least 1 characters"),
        (exemption(expires="31.12.2027"), "must be a date such as 2027-03-31"),
        (exemption(until="2027-01-01"), "has no key 'until'"),
        ("*", "must be an object"),
    ],
)
def test_an_exemption_says_who_why_and_until_when(entry: Any, said: str) -> None:
    with pytest.raises(config.ConfigError) as refused:
        config.from_entries({RULE: {"enforcementLevel": "mandatory", "exemptions": [entry]}}, "policies/dev.json")
    assert said in str(refused.value)
    assert str(refused.value).startswith(f"policies/dev.json: {RULE}: 'exemptions'[0]")


def test_offline_an_exemption_applies_in_each_form() -> None:
    given = config.from_entries({RULE: {"exemptions": [exemption("*::old")]}}, "it")
    old = resource(ACCOUNT, "old", {"minimumTlsVersion": "TLS1_0", "allowBlobPublicAccess": False})
    for form in FORMS.values():
        report = offline.evaluate(offline.parse_graph(form([old]), "it"), given)
        found = {one.rule.name: one for one in report.findings if not one.rule.name.endswith("shared-key")}
        assert list(found) == [RULE]
        assert found[RULE].exemption
        assert not report.blocks


def test_offline_the_day_can_be_given() -> None:
    given = config.from_entries({RULE: {"exemptions": [exemption("*::old", "2027-03-31")]}}, "it")
    old = resource(ACCOUNT, "old", {"minimumTlsVersion": "TLS1_0", "allowBlobPublicAccess": False})
    graph = offline.parse_graph(state([old]), "it")
    assert not offline.evaluate(graph, given, today=date(2027, 3, 31)).blocks
    assert offline.evaluate(graph, given, today=date(2027, 4, 1)).blocks


def test_exemptions_of_all_layers_add_up(tmp_path: Path) -> None:
    for name, pattern in {"base": "*::a", "dev": "*::b"}.items():
        entry = {RULE: {"enforcementLevel": "mandatory", "exemptions": [exemption(pattern)]}}
        (tmp_path / f"{name}.json").write_text(json.dumps(entry))
    assert [one["resource"] for one in config.merged("dev", tmp_path)[RULE]["exemptions"]] == ["*::a", "*::b"]
