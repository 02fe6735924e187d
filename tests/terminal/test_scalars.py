"""YAML scalars are those of Go: `scalars.json` is recorded with yaml.v3 3.0.1, days as Pulumi makes text of them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from terminal.scalars import Loader

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("scalars.json").read_text())


@pytest.mark.parametrize("text", RECORDED)
def test_reads_as_go_does(text: str) -> None:
    value = yaml.load(f"k: {text}\n", Loader)["k"]
    assert (value, type(value)) == (RECORDED[text], type(RECORDED[text]))


def test_a_key_stands_once() -> None:
    with pytest.raises(yaml.YAMLError, match="mapping key 'a' already defined at line 1"):
        yaml.load("a: 1\nb: 2\na: 3\n", Loader)
    merged = yaml.load("a: &x {p: 1, q: 1}\nb:\n  <<: *x\n  q: 2\n", Loader)
    assert merged["b"] == {"p": 1, "q": 2}


@pytest.mark.parametrize("text", ["!!int x", "!!bool maybe", "!!float x", "!!timestamp soon", "!!python/none x"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises((yaml.YAMLError, ValueError)):
        yaml.load(f"k: {text}\n", Loader)
