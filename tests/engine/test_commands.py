"""The command line: Pulumi's words, wrong usage, stacks, configuration, and what is out of scope."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest

from sandbox.engine import main
from tests.engine.stage import TRACES, Stage, load

HEAD = f"import sys\nsys.path.insert(0, {str(TRACES)!r})\nimport pulumi\nfrom pulumi_trace import *\n"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path, load(TRACES / "provider.py", "provider").Provider)
    stage.configure("dev")
    stage.program(HEAD + "pulumi.export('serial', Thing('a').serial)\n")
    return stage


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["previw"], "unknown command 'previw' for 'pulumi'; did you mean 'preview'?"),
        (["up", "--paralel=2"], "unknown flag or argument '--paralel=2' for `pulumi up`; did you mean '--parallel'?"),
        (["up", "--parallel", "many"], "argument -p/--parallel: invalid int value: 'many'"),
        (["stack", "ouput"], "unknown command 'ouput' for 'pulumi stack'; did you mean 'output'?"),
        (["policy", "ls"], "`pulumi policy` is not supported by the embedded engine"),
        (
            ["up", "-s", "dev", "--policy-pack-config", "x.json"],
            "--policy-pack-config must be given as often as --policy-pack",
        ),
        (["destroy", "--policy-pack", "x"], "unknown flag or argument '--policy-pack' for `pulumi destroy`"),
    ],
)
def test_wrong_usage(stage: Stage, words: list[str], message: str, tmp_path: Path) -> None:
    (stage.project / "x.json").write_text("{}")
    words = [str(stage.project / w) if w == "x.json" else w for w in words]
    done = stage.pulumi(*words)
    assert done.code == 1
    assert message in done.err
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err


def test_a_word_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["state"]) == 0
    assert "take a resource out of the state" in capsys.readouterr().out
    assert main([]) == 0
    assert main(["up", "--help"]) == 0
    assert "--skip-preview" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "message"),  # the codes: pkg/cmd/pulumi/cmd/exit_codes.go of the real command line
    [
        (["up", "-s", "dev"], 2, "--yes or --skip-preview or --preview-only must be passed in"),
        (["destroy", "-s", "made"], 2, "--yes or --skip-preview or --preview-only must be passed in"),
        (["up", "-s", "a b", "--yes"], 1, "'a b' is no stack name"),
        (["stack", "output", "-s", "nowhere"], 6, "no stack named 'nowhere' found"),
        (["stack", "select", "nowhere"], 6, "no stack named 'nowhere' found"),
        (["destroy", "-s", "nowhere", "--yes"], 6, "no stack named 'nowhere' found"),
        (["refresh", "-s", "nowhere", "--yes"], 6, "no stack named 'nowhere' found"),
        (["preview", "-s", "dev", "--expect-no-changes"], 7, "no changes were expected but changes were proposed"),
        (["up", "-s", "dev", "--yes", "-f", "--expect-no-changes"], 7, "no changes were expected but changes occurred"),
        (["preview", "-s", "dev", "--config-file", "absent.yaml"], 1, "the configuration file absent.yaml does not"),
        (["preview", "-s", "dev", "-c", "nonsense"], 1, "--config 'nonsense' must be key=value"),
        (["preview", "-s", "dev", "--policy-pack", "absent"], 1, "absent is not a policy pack: it has no Pulumi"),
        (["preview", "-s", "dev", "--target", "urn:x"], 1, "Target 'urn:x' could not be found in the stack"),
    ],
)
def test_what_cannot_be_done(stage: Stage, words: list[str], code: int, message: str) -> None:
    assert stage.pulumi("stack", "init", "made").code == 0
    done = stage.pulumi(*words)
    assert done.code == code
    assert message in done.out + done.err
    assert "Traceback" not in done.out + done.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "name: traces\nruntime: nodejs\n",
            "runtime 'nodejs' is not supported by the embedded engine, which runs Python only",
        ),
        ("runtime: python\n", "'name' is missing"),
        ("name: [\n", "is not valid YAML"),
        ("- x\n", "must hold a mapping, not list"),
        ("name: traces\nruntime: python\nplugins: [x]\n", "'plugins' or 'config' has another form than Pulumi's"),
    ],
)
def test_bad_project_files(stage: Stage, text: str, message: str) -> None:
    (stage.project / "Pulumi.yaml").write_text(text)
    done = stage.pulumi("preview", "-s", "dev")
    assert done.code == 1
    assert message in done.err
    assert "Pulumi.yaml" in done.err


def test_no_project(stage: Stage) -> None:
    (stage.project / "Pulumi.yaml").unlink()
    assert "no Pulumi.yaml project file found" in stage.pulumi("preview", "-s", "dev").err


def test_stacks_are_made_selected_and_listed(stage: Stage) -> None:
    assert "no stack selected; use --stack NAME or `pulumi stack select`: there are dev" in stage.pulumi("preview").err
    assert stage.pulumi("stack", "init", "-s", "one").out == "Created stack 'one'\n"
    assert "stack 'organization/traces/one' already exists" in stage.pulumi("stack", "init", "one").err
    assert stage.pulumi("preview").code == 0, "init selects"
    assert stage.pulumi("stack", "select", "two").code == 6
    assert stage.pulumi("stack", "select", "two", "--create").code == 0
    assert stage.pulumi("up", "--yes", "--skip-preview").code == 0
    assert json.loads(stage.pulumi("stack", "output", "--json").out) == {"serial": "serial-a-1"}
    rows = json.loads(stage.pulumi("stack", "ls", "--json").out)
    assert [(r["name"], r["resourceCount"]) for r in rows] == [("one", 0), ("two", 3)]
    assert stage.pulumi("preview", env={"PULUMI_STACK": "three"}).code == 0


def test_outputs_and_short_words(stage: Stage, tmp_path: Path) -> None:
    assert stage.pulumi("up", "-s", "dev", "--yes").code == 0
    assert stage.pulumi("stack", "output", "serial", "-s", "dev").out == "serial-a-1\n"
    assert stage.pulumi("outputs", "serial", "--json", "-s", "dev").out == '"serial-a-1"\n'
    assert "OUTPUT  VALUE\n    serial  serial-a-1" in stage.pulumi("stack", "output", "-s", "dev").out
    absent = stage.pulumi("stack", "output", "seriall", "-s", "dev")
    assert absent.code == 1
    assert "current stack does not have output property 'seriall'; did you mean 'serial'?" in absent.err
    assert stage.pulumi("export", "-s", "dev", "--file", str(tmp_path / "state.json")).code == 0
    assert stage.pulumi("destroy", "-s", "dev", "--yes").code == 0
    assert stage.pulumi("import", "-s", "dev", "--file", str(tmp_path / "state.json")).out == "Import complete.\n"
    assert stage.pulumi("outputs", "serial", "-s", "dev").out == "serial-a-1\n"


def test_a_stack_is_shown_as_the_real_command_shows_it(stage: Stage) -> None:
    """The tree's form is the real command's, v3.259.0."""
    assert stage.pulumi("stack", "init", "dev").code == 0
    assert "    No updates yet; run `pulumi up`\nCurrent stack resources (0):" in stage.pulumi("stack", "-s", "dev").out
    stage.program(
        HEAD + "one = pulumi.ComponentResource('my:c:C', 'one')\nThing('a', pulumi.ResourceOptions(parent=one))\n"
        "two = pulumi.ComponentResource('my:c:C', 'two')\npulumi.export('secret', pulumi.Output.secret({'k': 1}))\n"
    )
    assert stage.pulumi("up", "-s", "dev", "--yes", "--skip-preview").code == 0
    shown = stage.pulumi("stack", "-s", "dev", "--show-urns", "--show-ids").out
    resources = json.loads(stage.pulumi("stack", "-s", "dev", "export").out)["deployment"]["resources"]
    ids = {r["urn"].rpartition("::")[2]: r.get("id", "") for r in resources}
    provider = next(name for name in ids if name.startswith("default"))
    assert (
        re.sub(r"Managed by \S+|Last updated: .* \(.*\)", "", shown)
        == f"""\
Current stack is dev:
    {""}
    {""}
    Pulumi version used: v3.259.0
Current stack resources (5):
    TYPE                       NAME
    pulumi:pulumi:Stack        traces-dev
    │  URN: urn:pulumi:dev::traces::pulumi:pulumi:Stack::traces-dev
    ├─ my:c:C                  one
    │  │  URN: urn:pulumi:dev::traces::my:c:C::one
    │  └─ trace:index:Thing    a
    │        URN: urn:pulumi:dev::traces::my:c:C$trace:index:Thing::a
    │        ID: {ids["a"]}
    ├─ my:c:C                  two
    │     URN: urn:pulumi:dev::traces::my:c:C::two
    └─ pulumi:providers:trace  {provider}
          URN: urn:pulumi:dev::traces::pulumi:providers:trace::{provider}
          ID: {ids[provider]}

Current stack outputs (1):
    OUTPUT  VALUE
    secret  [secret]

Use `pulumi stack select` to change stack; `pulumi stack ls` lists known ones
"""
    )
    assert stage.pulumi("stack", "-s", "dev", "output", "secret", "--show-secrets").out == '{\n  "k": 1\n}\n'
    assert '    secret  {"k":1}' in stage.pulumi("stack", "-s", "dev", "--show-secrets").out
    assert stage.pulumi("stack", "-s", "dev", "--show-name").out == "dev\n"


def test_yes_shows_a_preview_first_and_preview_only_stops_there(stage: Stage) -> None:
    done = stage.pulumi("up", "-s", "dev", "--yes", "--preview-only")
    assert "Previewing update (dev)" in done.out
    assert "Updating" not in done.out
    done = stage.pulumi("up", "-s", "dev", "--yes")
    assert done.out.index("Previewing update (dev)") < done.out.index("Updating (dev)")
    assert "Previewing" not in stage.pulumi("up", "-s", "dev", "--yes", "-f").out
    assert stage.pulumi("preview", "-s", "dev", "--expect-no-changes").code == 0


def test_a_failing_preview_stops_the_update(stage: Stage) -> None:
    stage.program(HEAD + "Thing('a', fail='check')\n")
    done = stage.pulumi("up", "-s", "dev", "--yes")
    assert done.code == 1
    assert "Updating" not in done.out


def test_configuration(stage: Stage) -> None:
    (stage.project / "Pulumi.yaml").write_text(
        "name: traces\nruntime: python\nconfig:\n"
        "  given: {default: project}\n  trace:region: {value: east}\n  twice: project\n"
    )
    stage.configure("dev", {"twice": "stack", "number": "3"}, {"word": "hidden"})
    stage.program(
        HEAD + "c = pulumi.Config()\n"
        "for k in ('given', 'twice', 'number', 'flag'): pulumi.export(k, c.get(k))\n"
        "pulumi.export('object', c.get_object('object'))\npulumi.export('word', c.get_secret('word'))\nThing('a')\n"
    )
    done = stage.pulumi(
        "up", "-s", "dev", "-y", "-f", "-c", "number=4", "-c", "traces:flag=yes", "-c", 'object={"a": [1]}'
    )
    assert done.code == 0, done.out
    outputs = json.loads(stage.pulumi("stack", "output", "--json", "--show-secrets", "-s", "dev").out)
    wanted = {
        "given": "project",
        "twice": "stack",
        "number": "4",
        "flag": "yes",
        "object": {"a": [1]},
        "word": "hidden",
    }
    assert outputs == wanted
    provider = next(r for r in stage.export()["resources"] if r["type"] == "pulumi:providers:trace")
    assert provider["inputs"]["region"] == "east"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config: [1]\n", "'config' must be a mapping"),
        ("environment: [x]\n", "'environment' is not supported by the embedded engine"),
        ("secretsprovider: awskms://x\n", "'secretsprovider' is not supported by the embedded engine"),
        (
            "encryptionsalt: nonsense\nconfig: {a: {secure: v1:x:y}}\n",
            "a: the stack's encryptionsalt 'nonsense' is damaged",
        ),
        ("config:\n  - :\n", "Pulumi.dev.yaml"),
    ],
)
def test_bad_stack_files(stage: Stage, text: str, message: str) -> None:
    (stage.project / "Pulumi.dev.yaml").write_text(text)
    done = stage.pulumi("preview", "-s", "dev")
    assert done.code == 1
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (
            "pulumi.ComponentResource('x:y:Z', 'n', {}, remote=True)",
            "component providers are not supported by the embedded engine",
        ),
        ("Thing('a', ResourceOptions(replacement_trigger=1))", "the option replacement_trigger is not supported"),
        (
            "Thing('a', ResourceOptions(replace_with=[Thing('b')]))",
            "Exception: The Pulumi CLI does not support the Repla",
        ),
        ("raise pulumi.RunError('teams: at least one is needed')", "error: teams: at least one is needed"),
        ("import sys; sys.exit(3)", "program exited with non-zero exit code: 3"),
        ("pulumi.CustomResource('absent:x:Y', 'n', {})", "no resource plugin 'pulumi-resource-absent-v?' found"),
        (
            "Thing('a', ResourceOptions(custom_timeouts=CustomTimeouts(create='soon')))",
            "'soon' is not a duration such as 90s",
        ),
        ("import absent_module", "ModuleNotFoundError: No module named 'absent_module'"),
    ],
)
def test_what_a_program_can_do_wrong(stage: Stage, program: str, message: str) -> None:
    stage.program(HEAD + program + "\n")
    done = stage.pulumi("preview", "-s", "dev")
    assert done.code == 1
    assert message in done.out
    assert "sandbox/engine" not in done.out, "no frame of the engine is the user's business"
    assert ("Traceback" in done.out) == ("absent_module" in message)


def test_every_run_of_the_program_starts_afresh(stage: Stage) -> None:
    (stage.project / "helper.py").write_text("import pulumi\nfrom pulumi_trace import Thing\nmade = Thing('made')\n")
    stage.program(HEAD + "import helper\npulumi.export('serial', helper.made.serial)\n")
    for _ in range(2):
        assert stage.pulumi("up", "-s", "dev", "--yes").code == 0
        assert json.loads(stage.pulumi("stack", "output", "--json", "-s", "dev").out) == {"serial": "serial-made-1"}
    assert "helper" not in sys.modules


def test_a_policy_pack_that_is_broken_is_said(stage: Stage) -> None:
    pack = stage.work / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (pack / "__main__.py").write_text("raise ValueError('broken')\n")
    done = stage.pulumi("preview", "-s", "dev", "--policy-pack", str(pack))
    assert done.code == 1
    assert "did not start" in done.err
    assert "ValueError: broken" in done.err
    (pack / "PulumiPolicy.yaml").write_text("runtime: nodejs\n")
    assert "runtime 'nodejs' is not supported" in stage.pulumi("preview", "-s", "dev", "--policy-pack", str(pack)).err


def test_policy_configuration_is_checked(stage: Stage) -> None:
    pack = stage.work / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (pack / "__main__.py").write_text(
        "from pulumi_policy import *\n"
        "rule = ResourceValidationPolicy('small', 'S.', lambda args, report: None, config_schema=PolicyConfigSchema("
        "properties={'max': {'type': 'integer'}}, required=['max']))\n"
        "PolicyPack('limits', [rule], EnforcementLevel.MANDATORY)\n"
    )
    config = stage.work / "config.json"
    cases = [
        ('{"smal": "mandatory"}', "no such policy smal; there are: small, all"),
        ('{"small": "always"}', "enforcementLevel 'always' must be one of advisory, mandatory, disabled, remediate"),
        ("[]", "must be a JSON object"),
        ("{", "cannot be read"),
        ("{}", "policy small of pack: max must be set"),
    ]
    for text, message in cases:
        config.write_text(text)
        done = stage.pulumi("preview", "-s", "dev", "--policy-pack", str(pack), "--policy-pack-config", str(config))
        assert (done.code, message in done.err) == (1, True), done.err
    config.write_text('{"all": "advisory", "small": {"max": 3}}')
    done = stage.pulumi("preview", "-s", "dev", "--policy-pack", str(pack), "--policy-pack-config", str(config))
    assert done.code == 0
    assert "Policies:\n    ✅ limits@v0.0.1 (local: pack)\n" in done.out


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_asks_on_a_terminal(stage: Stage, answer: str) -> None:
    program = (
        f"import sys\nsys.path.insert(0, {str(TRACES)!r})\nfrom provider import Provider\n"
        "from sandbox.engine import main\nsys.exit(main(sys.argv[1:], {'trace': Provider}))"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(Path(__file__).parents[2])
        words = [sys.executable, "-c", program, "up", "-s", "dev", "-C", str(stage.project)]
        os.execve(sys.executable, words, {**os.environ, **stage.env, "TERM": "xterm", "NO_COLOR": "1"})
    text = b""
    with contextlib.suppress(OSError):  # which tells the end
        while part := os.read(terminal, 4096):
            if b"[yes/no]" in text + part and b"[yes/no]" not in text:
                os.write(terminal, answer.encode() + b"\n")
            text += part
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, text
    assert (b"Updating (dev)" in text) == (answer == "yes")
    assert (b"confirmation declined, not proceeding with the update" in text) == (answer == "no")
    assert len(stage.export().get("resources", [])) == (3 if answer == "yes" else 0)


def test_a_provider_as_a_plugin_process(stage: Stage) -> None:
    plugin = stage.work / "home/plugins/resource-trace-v1.0.0"
    plugin.mkdir(parents=True)
    program = plugin / "pulumi-resource-trace"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -u {TRACES}/provider.py "$@"\n')
    program.chmod(0o755)
    words = [sys.executable, "-m", "sandbox.engine"]

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **stage.env}
        cwd = Path(__file__).parents[2]
        return subprocess.run(
            [*words, *more, "-s", "dev", "-C", str(stage.project)],
            env=env,
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("up", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout + done.stderr
    assert run("stack", "output", "serial").stdout == "serial-a-1\n"
    assert run("destroy", "--yes", "--skip-preview").returncode == 0
    program.write_text("#!/bin/sh\necho not a port\n")
    done = run("up", "--yes", "--skip-preview")
    assert done.returncode == 1
    assert "did not start: it told no port but b'not a port" in done.stdout


def test_times_and_places_stay_in_the_state(stage: Stage) -> None:
    """As the real engine (`step_generator.go`): an unchanged update keeps both times of every resource."""
    program = HEAD + "Thing('a', size=int(__import__('os').environ['V']))\nThing('b')\n"
    stage.program(program)

    def times() -> dict[str, tuple[str, str]]:
        return {r["urn"].split("::")[-1]: (r["created"], r["modified"]) for r in stage.export()["resources"]}

    assert stage.pulumi("up", "-s", "dev", "--yes", "-f", env={"V": "1"}).code == 0
    first = times()
    assert stage.pulumi("up", "-s", "dev", "--yes", "-f", env={"V": "1"}).code == 0
    assert times() == first
    assert stage.pulumi("up", "-s", "dev", "--yes", "-f", env={"V": "2"}).code == 0
    changed = times()
    assert {name for name in first if changed[name] != first[name]} == {"a"}
    assert changed["a"][0] == first["a"][0]
    assert changed["a"][1] > first["a"][1]
    places = {r["urn"].split("::")[-1]: r.get("sourcePosition") for r in stage.export()["resources"]}
    assert places["a"] == "project:///__main__.py#5"
    assert places["b"] == "project:///__main__.py#6"


def test_what_goes_with_a_replaced_resource_is_updated(stage: Stage) -> None:
    """The real engine, 3.259.0: `deletedWith` decides on deletes alone, and on no replacement."""
    stage.program(
        HEAD
        + "v = int(__import__('os').environ['V'])\n"
        + "a = Thing('a', r_zone=v)\nThing('b', ResourceOptions(deleted_with=a), size=v)\n"
    )
    assert stage.pulumi("up", "-s", "dev", "--yes", "-f", env={"V": "1"}).code == 0
    done = stage.pulumi("up", "-s", "dev", "--yes", "-f", env={"V": "2"})
    changes = next(e["summaryEvent"]["resourceChanges"] for e in done.events if "summaryEvent" in e)
    assert changes == {"replace": 1, "same": 1, "update": 1}


@pytest.mark.parametrize(
    ("written", "top", "inside"),  # seen with the real command line, 3.259.0
    [
        ("2026-11-20", "2026-11-20 00:00:00 +0000 UTC", "2026-11-20 00:00:00 +0000 UTC"),
        ("2026-11-20T10:00:00Z", "2026-11-20 10:00:00 +0000 UTC", "2026-11-20 10:00:00 +0000 UTC"),
        ("yes", "yes", "yes"),
        ("12:30", "12:30", "12:30"),
        ("1e3", "1000", 1000),
        ("0o17", "15", 15),
        ("1.0", "1", 1),
        ("1.5", "1.5", 1.5),
        ("~", "", None),
        ("0123", "83", 83),
        ("true", "true", True),
        ("12345678901234567890", "12345678901234567890", 12345678901234567000),
        ("1e-7", "1e-7", 1e-7),
        ("1e-5", "0.00001", 1e-5),
        ("1e22", "1e+22", 1e22),
    ],
)
def test_scalars_of_a_stack_file_arrive_as_from_the_real_engine(
    stage: Stage, written: str, top: str, inside: object
) -> None:
    (stage.project / "Pulumi.dev.yaml").write_text(f"config:\n  plain: {written}\n  object: {{yes: [{written}]}}\n")
    stage.program(
        "import json, pulumi\nc = pulumi.Config()\n"
        "pulumi.export('told', json.dumps([c.get('plain'), c.require_object('object')]))\n"
    )
    assert stage.pulumi("up", "-s", "dev", "--yes", "-f").code == 0
    told = json.loads(json.loads(stage.pulumi("stack", "output", "--json", "-s", "dev").out)["told"])
    assert told == [top, {"yes": [inside]}]


def test_a_stack_file_with_a_key_twice_is_refused(stage: Stage) -> None:
    (stage.project / "Pulumi.dev.yaml").write_text("config:\n  a: 1\n  a: 2\n")
    assert "mapping key 'a' already defined at line 2" in stage.pulumi("preview", "-s", "dev").err


@pytest.mark.parametrize("setting", ["['*']", "[trace]", '[" trace "]'])
def test_default_providers_can_be_forbidden(stage: Stage, setting: str) -> None:
    """Words and refusal: default_providers.go, diag/errors.go (2015) of the real engine."""
    (stage.project / "Pulumi.dev.yaml").write_text(f"config:\n  pulumi:disable-default-providers: {setting}\n")
    done = stage.pulumi("preview", "-s", "dev")
    assert done.code == 1
    said = "Default provider for 'trace' disabled. 'urn:pulumi:dev::traces::trace:index:Thing::a' must use an explicit"
    assert said in done.out
    assert "Traceback" not in done.out
    explicit = "p = pulumi.ProviderResource('trace', 'own', {})\nThing('a', ResourceOptions(provider=p))\n"
    stage.program(HEAD + explicit)
    assert stage.pulumi("up", "-s", "dev", "--yes", "-f").code == 0
    stage.program(HEAD + "pulumi.runtime.invoke('trace:index:echo', {})\n")
    assert (
        "Default provider for 'trace' disabled. 'Invoke' must use an explicit"
        in stage.pulumi("preview", "-s", "dev").out
    )


def test_default_providers_are_named_in_a_list(stage: Stage) -> None:
    (stage.project / "Pulumi.dev.yaml").write_text("config:\n  pulumi:disable-default-providers: trace\n")
    assert "must be a list of packages, not 'trace'" in stage.pulumi("preview", "-s", "dev").out


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_as_windows_writes_them(stage: Stage, encoding: str) -> None:
    (stage.project / "Pulumi.dev.yaml").write_text("config:\r\n  a: ü\r\n", encoding=encoding)
    stage.program(HEAD + "pulumi.export('a', pulumi.Config().require('a'))\n")
    assert stage.pulumi("up", "-s", "dev", "--yes", "-f").code == 0
    assert stage.pulumi("stack", "output", "a", "-s", "dev").out == "ü\n"
    exported = stage.work / "state.json"
    exported.write_text(stage.pulumi("stack", "export", "-s", "dev").out, encoding=encoding)
    assert stage.pulumi("stack", "import", "-s", "dev", "--file", str(exported)).code == 0
    pack = stage.work / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n", encoding=encoding)
    (pack / "__main__.py").write_text(
        "from pulumi_policy import *\nPolicyPack('n', [ResourceValidationPolicy('a', 'A.', print)])\n"
    )
    (stage.work / "config.json").write_text("{}", encoding=encoding)
    words = ("--policy-pack", str(pack), "--policy-pack-config", str(stage.work / "config.json"))
    assert stage.pulumi("preview", "-s", "dev", *words).code == 0


def test_no_advice_to_import_what_the_state_has(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A renamed resource whose name in the cloud stays: importing it would put it into the state twice."""
    provider: Any = stage.provider
    create = provider.Create

    def refuse(self: Any, request: Any, context: Any) -> Any:
        if request.urn.endswith("::b"):
            context.abort(grpc.StatusCode.UNKNOWN, "cannot create already existing resource 'A-1'")
        return create(self, request, context)

    monkeypatch.setattr(provider, "Create", refuse)
    assert stage.pulumi("up", "-s", "dev", "--yes", "-f").code == 0
    stage.program(HEAD + "Thing('b')\n")
    said = stage.pulumi("up", "-s", "dev", "--yes", "-f").out
    assert "The stack has it already, as 'urn:pulumi:dev::traces::trace:index:Thing::a'" in said
    assert "aliases=[pulumi.Alias(name='a')]" in said
    assert "pulumi import" not in said
    assert stage.pulumi("destroy", "-s", "dev", "--yes", "-f").code == 0
    assert "pulumi import trace:index:Thing 'b' 'A-1'" in stage.pulumi("up", "-s", "dev", "--yes", "-f").out
