"""`python -m sandbox`: the sandbox's command line."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from sandbox import control
from sandbox.ask import ask
from sandbox.control import DEFAULT_PORT, SandboxError, sandbox_directory
from sandbox.durations import duration, seconds_of
from sandbox.process import run_alone
from terminal import FAILED, INTERRUPTED, JsonOption, application, print_json, print_table, run

PROGRAM = "python -m sandbox"
PersonaOption = Annotated[Literal["owner", "lead", "scientist"], typer.Option(help="Who signs in.")]

app = application(
    "A local Azure on loopback, and Pulumi's commands against it. Its folder is $SANDBOX_DIR, or .sandbox in the "
    "current one."
)
faults = typer.Typer(help="Show, set or clear the faults that the sandbox injects.", invoke_without_command=True)
app.add_typer(faults, name="faults")
clock = typer.Typer(help="Show the sandbox's clock, or move it forward.", invoke_without_command=True)
app.add_typer(clock, name="clock")


@app.command()
def start(
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            show_default=False,
            help=f"Port on 127.0.0.1; 0: any free one. Without it {DEFAULT_PORT}, or a free one if that is taken.",
        ),
    ] = None,
) -> None:
    """Start the sandbox in the background, or report that it runs."""
    directory = sandbox_directory()
    running, new = control.start(directory, DEFAULT_PORT if port is None else port, or_any=port is None)
    if new and port is None and running.port != DEFAULT_PORT:
        print(f"port {DEFAULT_PORT} is taken by another program, so this sandbox uses port {running.port}")
    print(f"sandbox {'started' if new else 'already running'} on 127.0.0.1:{running.port} (process {running.pid})")


@app.command()
def stop() -> None:
    """Stop the sandbox, and wait until it has ended."""
    print("sandbox stopped" if control.stop(sandbox_directory()) else "no sandbox was running")


@app.command()
def status(as_json: JsonOption = False) -> int:
    """Show port, process, memory and resources; exit code 1 if no sandbox runs."""
    directory = sandbox_directory()
    running = control.find(directory)
    report: dict[str, Any] = {"running": running is not None, "directory": str(directory)}
    if running is not None:
        report |= control.status(running)
    if as_json:
        print_json(report)
    elif running is None:
        print(f"no sandbox is running in {directory}")
    else:
        print(f"running on 127.0.0.1:{report['port']}, process {report['pid']}, for {report['uptimeSeconds']:.0f} s")
        print(f"memory {report['residentBytes'] / 2**20:.0f} MB, folder {directory}")
        print_table(("COUNT", "TYPE"), [(str(count), name) for name, count in report["resources"].items()])
    return 0 if running is not None else FAILED


@app.command()
def env(
    persona: PersonaOption = "owner",
    network: Annotated[
        str,
        typer.Option(metavar="NAME", help="Virtual network that the client is in. Without it: the internet."),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Print the exports with which any Azure client works in a shell."""
    from sandbox.azure.privatelink import from_network  # noqa: PLC0415 # the other commands need no YAML
    from sandbox.environment import persona_environment  # noqa: PLC0415

    directory = sandbox_directory()
    running = control.require(directory)
    environment = persona_environment(directory, running.port, persona)
    if network:
        environment = from_network(environment, control.find_network(running, network))
    if as_json:
        print_json(environment)
        return
    for name, value in environment.items():
        print(f"export {name}={shlex.quote(value)}")


@app.command()
def studio(
    persona: PersonaOption = "owner",
    browser: Annotated[bool, typer.Option(help="Open the address in the browser, too.")] = True,
) -> None:
    """Print an address that opens the studio once, and open it: pages over everything in the sandbox."""
    _open_studio(persona, "/", browser)


@app.command(name="open")
def open_(
    address: Annotated[str, typer.Argument(metavar="URL", help="Such as https://ml.azure.com/runs/RUN?wsid=...")],
    persona: PersonaOption = "owner",
    browser: Annotated[bool, typer.Option(help="Open the address in the browser, too.")] = True,
) -> None:
    """Open the studio's page for an address that a client printed."""
    from sandbox.studio.address import STUDIO_HOST, local_path  # noqa: PLC0415 # as below

    target = local_path(address)
    if target is None:
        raise SandboxError(
            f"'{address}' is no address of Azure ML's studio, which begins with https://{STUDIO_HOST}/, "
            "and none that MLflow prints for a run or an experiment"
        )
    _open_studio(persona, target, browser)


def _open_studio(persona: str, target: str, browser: bool) -> None:
    from sandbox.environment import persona_environments  # noqa: PLC0415 # the other commands need no YAML
    from sandbox.studio import process  # noqa: PLC0415 # nor a studio

    directory = sandbox_directory()
    running = control.require(directory)
    found = process.start(directory, persona_environments(directory, running.port))
    address = found.address(persona, target)
    print(address)
    if browser:
        process.open_browser(found.folder, address)


@app.command()
def token(
    issuer: Annotated[str, typer.Option(help="Such as https://token.actions.githubusercontent.com.")],
    subject: Annotated[str, typer.Option(help="The pipeline, such as repo:OWNER/NAME:environment:prod.")],
) -> None:
    """Print the token that a pipeline's issuer would give the pipeline, to sign in with."""
    from sandbox.azure.identity.assertions import Pipelines  # noqa: PLC0415 # the other commands need no cryptography

    directory = sandbox_directory()
    control.require(directory)
    text = Pipelines(directory).token(issuer, subject)
    print(text, end="\n" if sys.stdout.isatty() else "")  # clients send a file's line end along


@app.command()
def reset() -> None:
    """Delete everything but the jobs' environments, and start anew if the sandbox was running."""
    running = control.reset(sandbox_directory())
    print("sandbox reset" + (f", started on 127.0.0.1:{running.port}" if running else ""))
    if running:
        print(f"its clients have new secrets: run `{PROGRAM} env` again in your shells")


@app.command()
def prepare(
    asked: Annotated[
        list[str], typer.Argument(metavar="FILE|NAME...", help="A conda file, a requirements file or a curated name.")
    ],
) -> None:
    """Fetch the packages of jobs' environments, for use without a network."""
    from sandbox.azure.ml.runner import prepare as preparation  # noqa: PLC0415 # the other commands need no uv

    try:
        preparation.prepare(asked, print, control.client_variables(sandbox_directory()))
    except preparation.PrepareError as error:
        raise SandboxError(str(error)) from error


@app.command()
def public(
    container: Annotated[str, typer.Argument(metavar="ACCOUNT/CONTAINER", help="The public container.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder with its files, which are copied.")],
) -> None:
    """Place the files of a public container, for jobs whose inputs have its https or wasbs address."""
    from sandbox.azure.storage import public as containers  # noqa: PLC0415 # the other commands need no storage

    try:
        count = containers.place_files(sandbox_directory(), container, folder)
    except (containers.PublicError, OSError) as error:
        raise SandboxError(str(error)) from error
    print(f"{container} has {count} files")


@app.command(add_help_option=False)
def pulumi() -> None:
    """Run a Pulumi command against the sandbox: the real pulumi if it is on PATH, else the embedded engine."""
    raise NotImplementedError  # `main` passes its words on before Typer reads them


@clock.callback()
def show_clock_by_default(context: typer.Context) -> None:
    """Show the sandbox's clock, or move it forward; without a command, show it."""
    if context.invoked_subcommand is None:
        show_clock()


@clock.command(name="show")
def show_clock(as_json: JsonOption = False) -> None:
    """Show the sandbox's time, how far it is ahead, and what is due next."""
    _tell_clock(ask(sandbox_directory(), "GET", "/clock"), as_json)


@clock.command()
def advance(
    by: Annotated[
        int,
        typer.Argument(
            parser=seconds_of, metavar="TIME", help="How far: 31d, 12h, 90m, 30s or several, such as 1d12h."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Move the clock forward and carry out what became due; only `reset` sets it back."""
    _tell_clock(ask(sandbox_directory(), "POST", "/clock/advance", {"seconds": by}), as_json)


def _tell_clock(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    ahead = duration(told["aheadSeconds"])
    print(f"the sandbox's time is {told['now']}" + (f", {ahead} ahead of the machine's" if ahead else ""))
    for kind, count in told.get("done", {}).items():
        print(f"carried out: {kind}, {count}")
    if told["next"]:
        print(f"next: {told['next']['kind']} {told['next']['key']} at {told['next']['due']}")


@faults.callback()
def show_by_default(context: typer.Context) -> None:
    """Show, set or clear the faults that the sandbox injects; without a command, show them."""
    if context.invoked_subcommand is None:
        show()


@faults.command()
def show(as_json: JsonOption = False) -> None:
    """Show the plan, or the kinds of faults if there is none."""
    from sandbox.azure.faults import command  # noqa: PLC0415 # the other commands need no plan

    try:
        plan = command.read_plan(sandbox_directory())
    except command.PlanError as error:
        raise SandboxError(str(error)) from error
    if as_json:
        print_json({"seed": plan.seed, "rules": [vars(rule) for rule in plan.rules]})
    else:
        print("\n".join(command.shown(plan)))


@faults.command(name="set")
def set_plan(
    rules: Annotated[
        list[str], typer.Argument(metavar="KIND[,NAME=VALUE...]...", help="docs/faults.md lists kinds and names.")
    ],
    seed: Annotated[int, typer.Option(help="Seed of the random draws.")] = 0,
) -> None:
    """Replace the plan; a running sandbox uses it at once."""
    from sandbox.azure.faults import command  # noqa: PLC0415 # as above

    try:
        print("\n".join(command.shown(command.set_plan(sandbox_directory(), rules, seed))))
    except command.PlanError as error:
        raise SandboxError(str(error)) from error


@faults.command()
def clear() -> None:
    """Inject no more faults."""
    from sandbox.azure.faults import command  # noqa: PLC0415 # as above

    print("\n".join(command.shown(command.clear(sandbox_directory()))))


def main(arguments: list[str]) -> int:
    """Run one command; returns its exit code."""
    if arguments[:1] == ["pulumi"]:
        from sandbox import pulumi as command  # noqa: PLC0415 # imports the engine

        try:
            return command.run(sandbox_directory(), arguments[1:])
        except SandboxError as error:
            print(f"error: {error}", file=sys.stderr)
            return FAILED
        except KeyboardInterrupt:
            return INTERRUPTED
    return run(app, PROGRAM, arguments, explain=lambda e: str(e) if isinstance(e, SandboxError) else None)


if __name__ == "__main__":
    if sys.argv[1:2] == ["pulumi"]:
        run_alone(lambda: main(sys.argv[1:]))
    sys.exit(main(sys.argv[1:]))
