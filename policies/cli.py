"""`python -m policies`: what the rules are, how they are configured, and whether a stack keeps them."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from policies import config as config_
from policies import offline, pack, sarif
from policies.model import Rule
from policies.schema import nearest
from policies.textfiles import TextFileError, decoded, read_text
from terminal import FAILED, WRONG_USAGE, JsonOption, application, print_json, print_table, run, write_whole

PROGRAM = "python -m policies"
app = application("The policy pack: its rules, its configuration, and a check of a stack that needs no engine.")

FolderOption = Annotated[
    Path, typer.Option("--folder", help="Folder of base.json and <stack>.json.", show_default=False)
]


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List the rules."""
    if as_json:
        print_json([_described(rule) for rule in pack.rules().values()])
        return
    rows = [(rule.name, rule.severity, rule.level, rule.title) for rule in pack.rules().values()]
    print_table(("RULE", "SEVERITY", "DEFAULT", "WHAT MUST HOLD"), rows)


@app.command()
def explain(
    rule: Annotated[str, typer.Argument(help="Name of the rule.", show_default=False)], as_json: JsonOption = False
) -> int:
    """Explain a rule: what it applies to, who else has it, how it is configured, what to do about a violation."""
    found = pack.rules().get(rule)
    if found is None:
        raise UsageError(f"there is no rule '{rule}'{nearest(rule, pack.rules())}; `{PROGRAM} list` has them all")
    if as_json:
        print_json(_described(found))
    else:
        typer.echo("\n".join(_explained(found)))
    return 0


@app.command()
def config(
    *,
    stack: Annotated[str | None, typer.Option("--stack", help="Stack; with --check all of them if left out.")] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Print nothing; fail if a merged file is stale or a stack file parts from it."),
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the merged file, merged/<stack>.json.")] = False,
    folder: FolderOption = config_.FOLDER,
    stack_files: Annotated[
        Path | None, typer.Option("--stack-files", help="Folder of Pulumi.<stack>.yaml; the one above if left out.")
    ] = None,
) -> int:
    """Print the configuration of a stack with its layers merged, as --policy-pack-config takes it."""
    if stack is None and not (check or write):
        raise UsageError(f"say which stack: {PROGRAM} config --stack {'|'.join(config_.stacks(folder)) or 'STACK'}")
    faults: list[str] = []
    for name in [stack] if stack else config_.stacks(folder):
        text = config_.merged_text(name, folder)
        target = folder / "merged" / f"{name}.json"
        if write:
            write_whole(target, text)
        elif check:
            faults += _faults(name, json.loads(text), target, stack_files or folder.parent)
        else:
            typer.echo(text, nl=False)
    for fault in faults:
        typer.echo(f"error: {fault}", err=True)
    return FAILED if faults else 0


def _faults(stack: str, merged: dict[str, Any], target: Path, stack_files: Path) -> Iterator[str]:
    if not target.is_file():
        yield f"{target} is not there: run `{PROGRAM} config --stack {stack} --write`"
    elif config_.load(target) != merged:
        yield f"{target} is stale: run `{PROGRAM} config --stack {stack} --write`"
    file = stack_files / f"Pulumi.{stack}.yaml"
    from policies import stackfiles  # noqa: PLC0415 - reads YAML, which the other commands do without

    yield from stackfiles.disagreements(stack, merged[stackfiles.RULE], file, target.parent.parent)


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(help="Exported state, preview --json, or event log; - reads it.", show_default=False)
    ],
    *,
    stack: Annotated[str | None, typer.Option("--stack", help="Whose configuration; the file's if left out.")] = None,
    configuration: Annotated[
        Path | None, typer.Option("--config", help="A configuration, such as merged/prod.json.")
    ] = None,
    as_json: JsonOption = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0 on standard output.")] = False,
    for_upload: Annotated[
        bool, typer.Option("--for-upload", help="With --sarif: leave out what is exempted, as GitHub would show it.")
    ] = False,
    folder: FolderOption = config_.FOLDER,
) -> int:
    """Check a stack without an engine. Exit code 1 if a mandatory rule is broken."""
    if as_json and as_sarif:
        raise UsageError("say --json or --sarif, not both")
    if for_upload and not as_sarif:
        raise UsageError("--for-upload is for --sarif")
    if stack and configuration:
        raise UsageError("say --stack or --config, not both")
    given = str(file) == "-"
    text = decoded(sys.stdin.buffer.read(), "standard input") if given else read_text(file)
    graph = offline.parse_graph(text, "standard input" if given else str(file))
    report = offline.evaluate(graph, _configuration(graph, stack, configuration, folder))
    if as_json:
        print_json(report.as_json())
    elif as_sarif:
        print_json(sarif.sarif(report, _places(file, text), for_upload=for_upload))
    else:
        from policies.show import show  # noqa: PLC0415 - rich takes longer to load than most commands run

        show(report)
    return FAILED if report.blocks else 0


def _configuration(graph: offline.Graph, stack: str | None, file: Path | None, folder: Path) -> offline.Config:
    """The configuration that was asked for, else that of the stack in the file, else the pack's defaults."""
    if file:
        return offline.load_config(file)
    name = stack or next((resource.stack for resource in graph), None)
    if stack is None and name not in config_.stacks(folder):
        typer.echo(f"no configuration for the stack '{name}' in {folder}: the pack's defaults are used", err=True)
        return offline.default_config()
    return offline.stack_config(str(name), folder)


def _places(file: Path, text: str) -> Callable[[offline.Finding], sarif.Place]:
    """A function that gives a finding's place: the line of the file that first has its URN."""
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        for urn in re.findall(r'"(urn:pulumi:[^"]*)"', line):
            lines.setdefault(urn, number)
    uri = quote(Path(os.path.relpath(file)).as_posix())
    return lambda finding: sarif.Place(uri, lines.get(finding.urn, 1))


class UsageError(Exception):
    """The command was used wrongly."""


def main() -> int:
    """Run the command line; returns the exit code."""
    wrong = False

    def explain_(error: Exception) -> str | None:
        nonlocal wrong
        wrong = isinstance(error, (UsageError, config_.ConfigError, offline.GraphError, TextFileError))
        return str(error) if wrong else None

    code = run(app, PROGRAM, explain=explain_)
    return WRONG_USAGE if wrong else code


def _described(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "title": rule.title,
        "severity": str(rule.severity),
        "level": str(rule.level),
        "applies": rule.applies,
        "counterparts": [vars(one) for one in rule.counterparts],
        "source": rule.source,
        "url": rule.url,
        "remediation": rule.remediation,
        "settings": {
            key: {**setting.schema, "default": setting.default, "required": setting.required}
            for key, setting in config_.settings_of(rule).items()
        },
    }


def _explained(rule: Rule) -> list[str]:
    lines = [
        f"{rule.name} ({rule.severity}; {rule.level} unless configured)",
        rule.title,
        "",
        f"Applies to  {rule.applies}",
        f"What to do  {rule.remediation}",
        f"Read more   {rule.url}",
    ]
    lines += [
        f"Also in     {one.framework} {one.reference}{f': {one.difference}' if one.difference else ''}"
        for one in rule.counterparts
    ]
    if rule.source:
        lines.append(f"Source      {rule.source}")
    lines += ["", "Settings"]
    for key, setting in config_.settings_of(rule).items():
        default = "" if setting.default is None else f" Default: {json.dumps(setting.default)}."
        needed = " Required." if setting.required else ""
        lines.append(f"  {key}: {setting.schema.get('description', '')}{needed}{default}")
    return lines
