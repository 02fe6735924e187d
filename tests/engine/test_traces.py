"""Does the engine do what the real one did? Compares every scenario's run with the trace of the real engine.

What has to be equal is said in traces/README.md; `found`, `diffs` and the previews' inputs and outputs are, too.
"""

import collections
import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.engine.site import forks, up_and_wait
from tests.engine.stage import TRACES, Run, Stage, load, read_lines

SIG = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")
ORDERED = ("Check", "Diff", "Create", "Update", "Delete", "Read", "Hook")
DELETES = ("delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace")
TIMES = ("created", "modified", "sourcePosition", "stackTrace")


def test_does_what_the_real_engine_did(scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = scenario.parent.parent
    root = own if (own / "provider.py").exists() else TRACES
    monkeypatch.syspath_prepend(own)
    provider = load(root / "provider.py", "provider")
    steps = load(scenario, "scenario_" + scenario.stem).STEPS
    trace = json.loads((own / "traces" / f"{scenario.stem}.json").read_text())
    stage = Stage(tmp_path, provider.Provider)
    head = f"import json, os, runpy, sys\nsys.path[:0] = {[str(own), str(root)]}\n"
    head += f"module = runpy.run_path({str(scenario)!r})\n"
    stage.program(head + "module['program'](json.loads(os.environ['TRACE_STEP']))\n")
    pack = tmp_path / "policy"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (pack / "__main__.py").write_text(head + "module['policy']()\n")
    ids: dict[str, str] = {}
    latest: dict[str, Any] = {}
    for number, (step, expected) in enumerate(zip(steps, trace["steps"], strict=True)):
        found = observe(stage, root, pack, **step)
        stack = expected["stack"]
        if expected["checkpoint"] == "unchanged":
            expected["checkpoint"] = latest.get(stack, {"resources": []})
        latest[stack] = expected["checkpoint"]
        difference = compare(expected, found, ids)
        assert not difference, f"{scenario.stem}, step {number} ({step}):\n" + "\n".join(difference)


# ---- running a step


def observe(  # noqa: PLR0917 (a step's entry)
    stage: Stage,
    root: Path,
    pack: Path,
    run: str,
    v: Any = None,
    stack: str = "dev",
    args: Any = (),
    kill: str | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Run one step; returns what it did, in the trace's form."""
    files = stage.work / "files"
    (files / "calls.jsonl").unlink(missing_ok=True)
    stage.configure(stack, changes.get("config", {}), changes.get("secret", {}), changes.get("unset", ()))
    if changes.get("world") is not None:
        (files / "world.json").write_text(json.dumps(changes["world"]))
    words = [run, "-s", stack, "--yes", *args]
    if run != "cancel":
        words += ["--skip-preview"] * (run != "preview") + ["--parallel=1"] * ("--parallel" not in " ".join(args))
    if changes.get("policy") is not None:
        (stage.work / "policy.json").write_text(json.dumps(changes["policy"]))
        words += ["--policy-pack", str(pack), "--policy-pack-config", str(stage.work / "policy.json")]
    env = {"TRACE_STEP": json.dumps(v)}
    done = run_and_kill(stage, root, words, env, kill) if kill else stage.pulumi(*words, env=env)
    events = collections.defaultdict(list)
    for event in done.events:
        for kind, body in event.items():
            events[kind].append(body)
    state = checkpoint(stage.export(stack))
    outputs = [r.get("outputs", {}) for r in state["resources"] if r["type"] == "pulumi:pulumi:Stack"]
    return {
        "exit": done.code,
        "summary": (events["summaryEvent"] or [{}])[-1].get("resourceChanges", {}),
        "ops": operations(done.events, run),
        "outputs": outputs[0] if outputs else {},
        "checkpoint": state,
        "calls": read_lines(files / "calls.jsonl"),
        "violations": violations(events),
        "diagnostics": [
            {k: d[k] for k in ("severity", "urn", "message")} for d in events["diagnosticEvent"] if not d["ephemeral"]
        ],
        "text": done.out + done.err,
    }


def run_and_kill(stage: Stage, root: Path, words: list[str], env: dict[str, str], method: str) -> Run:
    """Run a command in a child, and SIGKILL it once the provider has the call and hangs in it."""
    calls = stage.work / "files/calls.jsonl"
    asked = f'"hang": "{method.lower()}"'
    child = forks.Process(target=up_and_wait, args=(stage.work, root, tuple(words), env), daemon=True)
    child.start()
    deadline = time.monotonic() + 60
    while not any(c["method"] == method and asked in json.dumps(c) for c in read_lines(calls)):
        assert child.is_alive(), "the engine ended before the call in which it is to be killed"
        assert time.monotonic() < deadline, "the engine never came to the call in which it is to be killed"
        time.sleep(0.01)
    assert child.pid
    os.killpg(child.pid, signal.SIGKILL)
    child.join(10)
    return Run(child.exitcode or 0, "", "", read_lines(stage.work / "events.json"))


def operations(events: list[dict[str, Any]], run: str) -> list[dict[str, Any]]:
    """The steps, with when each began and ended (components end as soon as they are registered)."""
    ops: list[dict[str, Any]] = []
    for n, event in enumerate(events):
        kind = next((k for k in ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent") if k in event), None)
        if not kind:
            continue
        meta = event[kind]["metadata"]
        if kind == "resourcePreEvent":
            custom = ((meta["new"] or meta["old"]) or {}).get("custom")
            op = {
                "op": meta["op"],
                "urn": meta["urn"],
                "result": "unfinished",
                "_start": n,
                "_end": 10**9 if custom else n,
            }
            ops.append(op)
        else:
            same = [
                o
                for o in ops
                if o["urn"] == meta["urn"]
                and (o["op"] == meta["op"] or (o["op"] == "refresh" and o["result"] == "unfinished"))
            ]
            op = next((o for o in same if o["result"] == "unfinished"), same[-1])
            op |= {"result": "failed" if kind == "resOpFailedEvent" else "ok", "_end": min(op["_end"], n)}
            if op["op"] != meta["op"]:
                op["found"] = meta["op"]
        op |= {
            k: meta[k] if k == "detailedDiff" else sorted(meta[k])
            for k in ("keys", "diffs", "detailedDiff")
            if meta.get(k)
        }
        shown = op["op"] not in DELETES and (op["op"] != "same" or meta["type"] == "pulumi:pulumi:Stack")
        if run == "preview" and meta["new"] and shown:
            op |= {"inputs": normal(meta["new"]["inputs"] or {}), "outputs": normal(meta["new"]["outputs"] or {})}
    return ops


def violations(events: dict[str, list[Any]]) -> list[dict[str, Any]]:
    found = [
        {
            "policy": p["policyName"],
            "urn": p["resourceUrn"],
            "level": p["enforcementLevel"],
            "message": p["message"].strip(),
        }
        for p in events["policyEvent"]
    ]
    found += [
        {
            "remediation": p["policyName"],
            "urn": p["resourceUrn"],
            "before": normal(p["before"]),
            "after": normal(p["after"]),
        }
        for p in events["policyRemediationEvent"]
    ]
    return sorted(found, key=lambda v: json.dumps(v, sort_keys=True))


def checkpoint(deployment: dict[str, Any]) -> dict[str, Any]:
    """A state in the trace's form: sorted, without times and empty fields, secrets readable."""

    def resource(r: dict[str, Any]) -> dict[str, Any]:
        r = {**r, "dependencies": sorted(r.get("dependencies") or ())}
        r["propertyDependencies"] = {k: sorted(v or ()) for k, v in (r.get("propertyDependencies") or {}).items()}
        return {k: normal(v) for k, v in r.items() if k not in TIMES and v not in ([], {}, None)}

    found = {"resources": [resource(r) for r in deployment.get("resources") or ()]}
    pending = [
        {"type": p["type"], "resource": resource(p["resource"])} for p in deployment.get("pending_operations") or ()
    ]
    return {**found, **({"pending_operations": pending} if pending else {})}


def normal(v: Any) -> Any:
    """The trace's form of a value."""
    if isinstance(v, dict):
        if v.get(SIG) == SECRET:
            return {"<secret>": normal(json.loads(v["plaintext"]) if "plaintext" in v else v["value"])}
        return {k: normal(x) for k, x in v.items()}
    if isinstance(v, list):
        return [normal(x) for x in v]
    return "<unknown>" if v == UNKNOWN else v


# ---- comparing


def compare(expected: dict[str, Any], found: dict[str, Any], ids: dict[str, str]) -> list[str]:
    """What differs, in lines; `ids` maps the random ids of this run to the trace's, and grows."""
    expected, found = fold_events(expected), fold_events(found)
    learn_ids(expected["checkpoint"], found["checkpoint"], ids)
    learn_ids({"resources": configured(expected["calls"])}, {"resources": configured(found["calls"])}, ids)
    found = rename(found, ids)
    lines: list[str] = []

    def same(what: str, want: Any, got: Any) -> None:
        if want != got:
            lines.append(
                f"{what}:\n  want {json.dumps(want, sort_keys=True)}\n  got  {json.dumps(got, sort_keys=True)}"
            )

    same("exit", expected["exit"], found["exit"])
    same("summary", expected["summary"], found["summary"])
    if not expected.get("kill"):
        fields = ("op", "urn", "result", "found", "keys", "diffs", "detailedDiff", "inputs", "outputs")
        bags("ops", [pick(o, fields) for o in expected["ops"]], [pick(o, fields) for o in found["ops"]], lines)
        order(expected, found["ops"], lines)
    same("outputs", expected["outputs"], found["outputs"])
    bags("checkpoint", expected["checkpoint"]["resources"], found["checkpoint"]["resources"], lines)
    same(
        "pending operations",
        expected["checkpoint"].get("pending_operations"),
        found["checkpoint"].get("pending_operations"),
    )
    for urn in {c.get("urn") for c in expected["calls"] + found["calls"]}:
        own = [
            [clean(c) for c in calls if c.get("urn") == urn and c["method"] in ORDERED]
            for calls in (expected["calls"], found["calls"])
        ]
        same(f"calls of {urn}", *own)
    invokes = [[clean(c) for c in calls if c["method"] == "Invoke"] for calls in (expected["calls"], found["calls"])]
    bags("invokes", invokes[0], invokes[1], lines)
    bags("violations", expected["violations"], found["violations"], lines)
    severe = [
        [(d["severity"], d["urn"]) for d in side["diagnostics"] if d["severity"] in ("error", "warning")]
        for side in (expected, found)
    ]
    bags("diagnostics", severe[0], severe[1], lines)
    if lines:
        lines.append("printed:\n" + found["text"])
    return lines


def bags(what: str, want: list[Any], got: list[Any], lines: list[str]) -> None:
    """Compare without regard to order."""
    w, g = (collections.Counter(json.dumps(x, sort_keys=True) for x in side) for side in (want, got))
    lines += [f"{what}: missing {x}" for x in (w - g).elements()] + [
        f"{what}: too much {x}" for x in (g - w).elements()
    ]


def order(expected: dict[str, Any], ops: list[dict[str, Any]], lines: list[str]) -> None:
    """Each pair of the trace's `order` must hold here: the first ended before the second began."""
    places = collections.defaultdict(list)
    for op in ops:
        places[op["op"], op["urn"]].append(op)
    mine = [places[o["op"], o["urn"]].pop(0) if places[o["op"], o["urn"]] else None for o in expected["ops"]]
    for i, j in expected["order"]:
        first, second = mine[i], mine[j]
        if first and second and first["_end"] > second["_start"]:
            lines.append(f"order: {first['op']} {first['urn']} must end before {second['op']} {second['urn']}")


def pick(op: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    return {k: op[k] for k in fields if k in op}


def clean(call: dict[str, Any]) -> dict[str, Any]:
    """A call without its zero values."""
    return {k: v for k, v in call.items() if v not in ("", 0, False, None) or k == "provider"}


def fold_events(step: dict[str, Any]) -> dict[str, Any]:
    """Secrets in events are masked in one way or another: here, in one."""

    def fold(v: Any) -> Any:
        if isinstance(v, dict):
            return "[secret]" if set(v) == {"<secret>"} else {k: fold(x) for k, x in v.items()}
        return [fold(x) for x in v] if isinstance(v, list) else v

    return {**step, "ops": [{**o, **{k: fold(o[k]) for k in ("inputs", "outputs") if k in o}} for o in step["ops"]]}


def configured(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ids of provider resources that calls tell."""
    return [{"urn": c["urn"], "id": c["id"]} for c in calls if c["method"] == "Configure"]


def learn_ids(expected: dict[str, Any], found: dict[str, Any], ids: dict[str, str]) -> None:
    """Note which random id here stands for which of the trace, by URN, the ones known first."""
    wanted = collections.defaultdict(list)
    for r in expected["resources"]:
        if str(r.get("id", "")).startswith("<id ") and r["id"] not in ids.values():
            wanted[r["urn"]].append(r["id"])
    for r in found["resources"]:
        if UUID.fullmatch(str(r.get("id", ""))) and r["id"] not in ids and r["id"] != UNKNOWN and wanted[r["urn"]]:
            ids[r["id"]] = wanted[r["urn"]].pop(0)


def rename(value: Any, ids: dict[str, str]) -> Any:
    return json.loads(UUID.sub(lambda m: ids.get(m.group(), m.group()), json.dumps(value)))


if __name__ == "__main__":
    pytest.main([__file__])
