"""Random programs for the engine, as scenarios of traces: `python -m tests.real_pulumi.generate DIR FIRST LAST`.

A seed gives a program of a few resources, and what happens to it: edits of every kind that the engine tells apart, and
commands after each. Recorded on the real `pulumi`, they are compared by `pytest tests/engine --traces DIR`.
"""

import copy
import itertools
import pprint
import random
import shutil
import sys
from pathlib import Path
from typing import Any, Final

Spec = dict[str, Any]

PROGRAM: Final = "def program(v):\n    from declared import declare\n\n    declare(v)\n"
DECLARED: Final = Path(__file__).parents[1] / "engine" / "more_traces" / "declared.py"
NAMES: Final = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l")
TYPES: Final = ("Thing",) * 6 + ("Named",) * 2 + ("Other", "Component", "Component", "Provider")
KEYS: Final = ("size", "note", "r_zone", "r_kind", "s_word", "deep", "list")
FAILURES: Final = ("create", "update", "delete", "check", "diff", "init")
STACK: Final = "urn:pulumi:dev::traces"


class Program:
    """A program that changes at random, from a seed.

    What an engine still does when something fails beside it is left to chance, so only programs whose resources depend
    each on the one before, and whose export on the last, have failures and protected resources.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._unused = list(NAMES)
        self._failing: Spec | None = None
        self._chained = self._random.random() < 0.5
        self.raises = False
        self.resources: list[Spec] = []
        self.exports: dict[str, Any] = {}
        for _ in range(self._random.randint(2, 6)):
            self._add()
        self._export()

    def value(self) -> Spec:
        """What `declare` takes."""
        resources, exports = copy.deepcopy(self.resources), copy.deepcopy(self.exports)
        custom = self._custom(resources)
        if self._chained and custom:
            exports = {key: {"$out": [custom[-1]["name"], "rev"]} for key in exports}
            for before, spec in itertools.pairwise(custom):
                spec["depends_on"] = [before["name"]]
        return {"resources": resources, "exports": exports} | ({"raises": True} if self.raises else {})

    def edit(self) -> None:
        """Changes it in a few ways, after taking back a failure that was asked for."""
        before = self.value()
        self.raises = False
        if self._failing is not None:
            self._failing.get("in", {}).pop("fail", None)
            self._failing = None
        for _ in range(self._random.choice((1, 1, 2, 3, 4))):
            self._change_somehow()
        while self.value() == before:
            self._change_somehow()

    def urn(self) -> str:
        """The URN of one of its resources."""
        spec = self._random.choice(self.resources)
        types, above = [_token(spec)], spec
        while "parent" in above:
            above = self._named(above["parent"])
            types.insert(0, _token(above))
        return f"{STACK}::{'$'.join(types)}::{spec['name']}"

    def ids(self) -> list[str]:
        """Ids that its resources may have."""
        return [
            f"{r['name']}-{n}" for r in self.resources if r["type"] not in ("Component", "Provider") for n in (1, 2)
        ]

    def plain(self) -> Any:
        """A value that depends on nothing."""
        pick = self._random.choice
        return pick((1, 2, 3, "x", "y", True, None, 1.5, "", {"x": 1}, {"x": 2, "y": [1]}, [1, 2], [1], []))

    # ---- edits

    def _change_somehow(self) -> None:
        self._random.choices(
            (
                self._change, self._input, self._refer, self._add, self._remove, self._rename, self._move,
                self._retype, self._option, self._fail, self._export, self._raise,
            ),
            (6, 3, 4, 3, 4, 2, 2, 1, 6, 2, 1, 0.5),
        )[0]()  # fmt: skip

    def _named(self, name: str) -> Spec:
        return next(r for r in self.resources if r["name"] == name)

    def _custom(self, resources: list[Spec] | None = None) -> list[Spec]:
        return [
            r for r in (self.resources if resources is None else resources) if r["type"] in ("Thing", "Named", "Other")
        ]

    def _add(self) -> None:
        if not self._unused:
            return
        kind = self._random.choice(TYPES)
        spec: Spec = {"name": self._unused.pop(0), "type": kind}
        at = self._random.randint(len(self.resources) // 2, len(self.resources))
        before = self.resources[:at]
        if kind == "Component":
            if self._random.random() < 0.7:
                spec["outputs"] = {"x": self._value(before)} if self._random.random() < 0.5 else {}
        else:
            keys = self._random.sample(KEYS, self._random.randint(0, 3))
            spec["in"] = {k: self._value(before) for k in keys}
        self._place(spec, before)
        self.resources.insert(at, spec)

    def _place(self, spec: Spec, before: list[Spec]) -> None:
        parents = [r for r in before if r["type"] != "Provider"]
        if parents and self._random.random() < 0.35:
            spec["parent"] = self._random.choice(parents)["name"]
        providers = [r for r in before if r["type"] == "Provider"]
        if providers and spec["type"] not in ("Component", "Provider") and self._random.random() < 0.5:
            spec["provider"] = self._random.choice(providers)["name"]
        if self._custom(before) and self._random.random() < 0.25:
            spec["depends_on"] = [self._random.choice(self._custom(before))["name"]]

    def _value(self, before: list[Spec]) -> Any:
        custom = self._custom(before)
        kind = self._random.random()
        if custom and kind < 0.45:
            return self._reference(self._random.choice(custom))
        if kind < 0.55:
            return {"$secret": self._random.choice((1, 2, "hush", {"x": 1}))}
        if kind < 0.6:
            return {"$lookup": {"key": self._value(before) if self._random.random() < 0.5 else "k"}}
        return self.plain()

    def _reference(self, spec: Spec) -> Any:
        keys = ["serial", "serial", "rev", *(k for k in spec["in"] if k != "fail")]
        found: Any = {"$out": [spec["name"], self._random.choice(keys)]}
        return self._random.choices(
            (found, {"$text": ["is ", found]}, {"$id": spec["name"]}, {"$secret": found}, {"x": found}, [found, 1],
             {"$resource": spec["name"]}),
            (8, 2, 2, 1, 1, 1, 0.5),
        )[0]  # fmt: skip

    def _configured(self) -> Spec | None:
        found = [r for r in self.resources if "in" in r]
        return self._random.choice(found) if found else None

    def _change(self) -> None:
        """Another value for an input."""
        spec = self._configured()
        keys = [k for k in spec["in"] if not self._used(spec["name"], k)] if spec else []
        if spec and keys:
            spec["in"][self._random.choice(keys)] = self.plain()

    def _input(self) -> None:
        """An input more or less."""
        spec = self._configured()
        if spec is None:
            return
        key = self._random.choice(KEYS)
        if key not in spec["in"]:
            spec["in"][key] = self.plain()
        elif not self._used(spec["name"], key):
            del spec["in"][key]

    def _refer(self) -> None:
        """An input from an earlier resource, or a secret."""
        spec = self._configured()
        if spec:
            key = self._random.choice(KEYS)
            if not self._used(spec["name"], key):
                spec["in"][key] = self._value(self.resources[: self.resources.index(spec)])

    def _used(self, name: str, key: str) -> bool:
        return f"'$out': ['{name}', '{key}']" in repr(self.value())

    def _remove(self) -> None:
        """A resource less; what named it goes on without, sometimes by going too."""
        if len(self.resources) < 2:
            return
        gone = self._random.choice(self.resources)
        self.resources.remove(gone)
        for spec in self.resources:
            for option in ("parent", "provider", "deleted_with"):
                if spec.get(option) == gone["name"]:
                    del spec[option]
            if gone["name"] in spec.get("depends_on", ()):
                del spec["depends_on"]
            spec["aliases"] = [x for x in spec.get("aliases", ()) if x.get("parent") != gone["name"]]
            for part in ("in", "outputs"):
                spec[part] = {k: x for k, x in spec.get(part, {}).items() if not _names(x, gone["name"])}
            _tidy(spec)
        self.exports = {k: x for k, x in self.exports.items() if not _names(x, gone["name"])}

    def _rename(self) -> None:
        """Another name, mostly with an alias."""
        if not self._unused:
            return
        spec = self._random.choice(self.resources)
        old, new = spec["name"], self._unused.pop(0)
        for other in self.resources:
            _replace(other, old, new)
        for key, value in self.exports.items():
            self.exports[key] = _renamed(value, old, new)
        spec["name"] = new
        if self._random.random() < 0.75:
            spec["aliases"] = [{"name": old}]
        else:
            spec.pop("aliases", None)

    def _move(self) -> None:
        """Another parent, mostly with an alias."""
        spec = self._random.choice(self.resources)
        parents = [r["name"] for r in self.resources[: self.resources.index(spec)] if r["type"] != "Provider"]
        old = spec.pop("parent", None)
        spec.pop("aliases", None)
        if parents and (old is None or self._random.random() < 0.5):
            spec["parent"] = self._random.choice(parents)
        if spec.get("parent") != old and self._random.random() < 0.75:
            spec["aliases"] = [{"parent": old}]

    def _retype(self) -> None:
        """Another type, mostly with an alias."""
        found = [r for r in self.resources if r["type"] in ("Thing", "Other")]
        if found:
            spec = self._random.choice(found)
            old = spec["type"]
            spec["type"] = "Other" if old == "Thing" else "Thing"
            spec.pop("aliases", None)
            if self._random.random() < 0.75:
                spec["aliases"] = [{"type_": old}]

    def _option(self) -> None:
        """An option on or off."""
        custom = self._custom()
        if not custom:
            return
        spec = self._random.choice(custom)
        before = self.resources[: self.resources.index(spec)]
        keys = list(spec["in"]) or ["size"]
        given = {
            **({"protect": True} if self._chained else {}),
            "ignore_changes": [self._random.choice(keys)],
            "replace_on_changes": [self._random.choice((*keys, "*", "deep.x"))],
            "delete_before_replace": self._random.choice((True, False)),
            "retain_on_delete": True,
            "additional_secret_outputs": [self._random.choice((*keys, "serial"))],
            **({"depends_on": [self._random.choice(self._custom(before))["name"]]} if self._custom(before) else {}),
            **({"deleted_with": self._random.choice(self._custom(before))["name"]} if self._custom(before) else {}),
        }
        option = self._random.choices(list(given), [0.7 if o in ("protect", "deleted_with") else 1 for o in given])[0]
        if option in spec and self._random.random() < 0.7:
            del spec[option]
        else:
            spec[option] = given[option]

    def _fail(self) -> None:
        """A call that fails; the next edit takes it back."""
        custom = self._custom()
        if custom and self._chained and self._failing is None:
            self._failing = self._random.choice(custom)
            self._failing["in"]["fail"] = self._random.choice(FAILURES)

    def _export(self) -> None:
        self.exports[self._random.choice(("one", "two"))] = self._value(self.resources)

    def _raise(self) -> None:
        self.raises = self._chained


def _token(spec: Spec) -> str:
    tokens = {"Component": "traces:index:Component", "Provider": "pulumi:providers:trace"}
    return tokens.get(spec["type"], f"trace:index:{spec['type']}")


def _names(value: Any, name: str) -> bool:
    if isinstance(value, list):
        return any(_names(x, name) for x in value)
    if not isinstance(value, dict):
        return False
    named = value.get("$id"), value.get("$resource"), (value.get("$out") or [None])[0]
    return name in named or any(_names(x, name) for x in value.values())


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, list):
        return [_renamed(x, old, new) for x in value]
    if not isinstance(value, dict):
        return value
    if "$out" in value:
        return {"$out": [new if value["$out"][0] == old else value["$out"][0], value["$out"][1]]}
    return {k: new if k in ("$id", "$resource") and x == old else _renamed(x, old, new) for k, x in value.items()}


def _replace(spec: Spec, old: str, new: str) -> None:
    for option in ("parent", "provider", "deleted_with"):
        if spec.get(option) == old:
            spec[option] = new
    if "depends_on" in spec:
        spec["depends_on"] = [new if x == old else x for x in spec["depends_on"]]
    for alias in spec.get("aliases", ()):
        if alias.get("parent") == old:
            alias["parent"] = new
    for part in ("in", "outputs"):
        if part in spec:
            spec[part] = _renamed(spec[part], old, new)


def _tidy(spec: Spec) -> None:
    if not spec["aliases"]:
        del spec["aliases"]
    if spec["type"] == "Component":
        del spec["in"]
        if not spec["outputs"]:
            del spec["outputs"]
    else:
        del spec["outputs"]


def steps(seed: int) -> list[Spec]:
    """What happens to the program of a seed."""
    choose = random.Random(-seed - 1)
    program = Program(seed)
    found: list[Spec] = [{"run": choose.choice(("preview", "up", "up")), "v": program.value()}]
    found += [{"run": "up", "v": program.value()}] * (found[0]["run"] == "preview")
    for _ in range(choose.randint(1, 3)):
        program.edit()
        found += _commands(choose, program)
    if choose.random() < 0.6:
        found.append({"run": "destroy", "args": ["--continue-on-error"] if choose.random() < 0.2 else []})
    return found


def _commands(choose: random.Random, program: Program) -> list[Spec]:
    v = program.value()
    up: Spec = {"run": "up", "v": v}
    kind = choose.random()
    if kind < 0.2:
        return [{"run": "preview", "v": v}, up]
    if kind < 0.3:
        return [up, up]
    if kind < 0.4:
        return [up | {"args": ["--continue-on-error"]}, up]
    if kind < 0.5:
        target = ["--target", program.urn(), *choose.choice(([], ["--target-dependents"]))]
        return [up | {"args": target}, up]
    if kind < 0.65:
        drift = {"size": program.plain(), "r_zone": program.plain()}
        world = {
            i: choose.choice((None, drift, drift)) for i in choose.sample(program.ids(), min(2, len(program.ids())))
        }
        refresh = choose.choice(
            ({"run": "refresh"}, up | {"args": ["--refresh"]}, {"run": "preview", "v": v, "args": ["--refresh"]})
        )
        return [up, refresh | {"world": world}, up | {"world": {}}]
    return [up]


def write(folder: Path, seeds: range) -> None:
    """Writes the scenarios of seeds into a folder, with what they import."""
    (folder / "scenarios").mkdir(parents=True, exist_ok=True)
    shutil.copy(DECLARED, folder)
    for seed in seeds:
        text = f'"""Random program {seed}."""\n\nSTEPS = '
        text += pprint.pformat(steps(seed), width=110, sort_dicts=False) + "\n\n\n" + PROGRAM
        (folder / "scenarios" / f"random_{seed}.py").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), range(int(sys.argv[2]), int(sys.argv[3]) + 1))
