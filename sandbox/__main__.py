"""`python -m sandbox`: the sandbox's command line."""

import argparse
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from sandbox import control
from sandbox.control import DEFAULT_PORT, SandboxError, sandbox_directory

INTERRUPTED = 130  # as a shell tells of SIGINT
PERSONAS = ("owner", "lead", "scientist")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local Azure on loopback, and Pulumi's commands against it.",
        epilog="Its folder is $SANDBOX_DIR, or .sandbox in the current one.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser("start", help="start in the background, or find it running")
    start.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="port on 127.0.0.1 (default %(default)s, 0: any)"
    )
    commands.add_parser("stop", help="stop, and wait for the end")
    status = commands.add_parser("status", help="port, process, memory, resources")
    status.add_argument("--json", action="store_true", help="machine-readable")
    env = commands.add_parser("env", help="print the exports with which any Azure client works in a shell")
    env.add_argument("--persona", choices=PERSONAS, default="owner", help="who signs in (default %(default)s)")
    env.add_argument("--network", metavar="NAME", help="virtual network that the client is in (default: the internet)")
    token = commands.add_parser("token", help="print the token that a pipeline's issuer would give it, to sign in with")
    token.add_argument("--issuer", required=True, help="such as https://token.actions.githubusercontent.com")
    token.add_argument("--subject", required=True, help="the pipeline, such as repo:OWNER/NAME:environment:prod")
    commands.add_parser("reset", help="delete everything but the jobs' environments, and start anew if it was running")
    prepare = commands.add_parser("prepare", help="fetch the packages of jobs' environments, for use without a network")
    prepare.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a conda or requirements file")
    faults = commands.add_parser("faults", help="show, set or clear the faults that are made to happen")
    actions = faults.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("show", help="print the plan and the kinds of faults")
    plan = actions.add_parser("set", help="replace the plan; a running sandbox takes it over at once")
    plan.add_argument("rules", nargs="+", metavar="KIND[,NAME=VALUE...]", help="docs/faults.md has kinds and names")
    plan.add_argument("--seed", type=int, default=0, help="of the draws (default %(default)s)")
    actions.add_parser("clear", help="no more faults")
    commands.add_parser("pulumi", help="a pulumi command against the sandbox", add_help=False)
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:  # noqa: PLR2004 # the largest port
        raise argparse.ArgumentTypeError(f"'{text}' is no port: 0 to 65535")
    return int(text)


def _start(directory: Path, arguments: argparse.Namespace) -> int:
    running, new = control.start(directory, arguments.port)
    print(f"sandbox {'started' if new else 'already running'} on 127.0.0.1:{running.port} (process {running.pid})")
    return 0


def _stop(directory: Path, arguments: argparse.Namespace) -> int:
    print("sandbox stopped" if control.stop(directory) else "no sandbox was running")
    return 0


def _status(directory: Path, arguments: argparse.Namespace) -> int:
    running = control.find(directory)
    told: dict[str, Any] = {"running": running is not None, "directory": str(directory)}
    if running is not None:
        told |= control.status(running)
    if arguments.json:
        print(json.dumps(told, indent=2))
    elif running is None:
        print(f"no sandbox is running in {directory}")
    else:
        print(f"running on 127.0.0.1:{told['port']}, process {told['pid']}, for {told['uptimeSeconds']:.0f} s")
        print(f"memory {told['residentBytes'] / 2**20:.0f} MB, folder {directory}")
        for name, count in told["resources"].items():
            print(f"{count:6} {name}")
    return 0 if running is not None else 1


def _env(directory: Path, arguments: argparse.Namespace) -> int:
    from sandbox.azure.privatelink import from_network  # noqa: PLC0415 # as below
    from sandbox.environment import persona_environment  # noqa: PLC0415 # the other commands need no YAML

    running = control.require(directory)
    environment = persona_environment(directory, running.port, arguments.persona)
    if arguments.network:
        environment = from_network(environment, control.find_network(running, arguments.network))
    for name, value in environment.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _token(directory: Path, arguments: argparse.Namespace) -> int:
    from sandbox.azure.identity.assertions import Pipelines  # noqa: PLC0415 # the other commands need no cryptography

    control.require(directory)
    token = Pipelines(directory).token(arguments.issuer, arguments.subject)
    print(token, end="\n" if sys.stdout.isatty() else "")  # clients send a file's line end along
    return 0


def _reset(directory: Path, arguments: argparse.Namespace) -> int:
    running = control.reset(directory, DEFAULT_PORT)
    print("sandbox reset" + (f", started on 127.0.0.1:{running.port}" if running else ""))
    if running:
        print("its clients have new secrets: run `python -m sandbox env` again in your shells")
    return 0


def _prepare(directory: Path, arguments: argparse.Namespace) -> int:
    from sandbox.azure.ml.runner.prepare import PrepareError, prepare  # noqa: PLC0415 # the other commands need no uv

    try:
        prepare(arguments.files, print, control.client_variables(directory))
    except PrepareError as error:
        raise SandboxError(str(error)) from error
    return 0


def _faults(directory: Path, arguments: argparse.Namespace) -> int:
    from sandbox.azure.faults import command  # noqa: PLC0415 # the other commands need no plan

    try:
        if arguments.action == "set":
            plan = command.set_plan(directory, arguments.rules, arguments.seed)
        elif arguments.action == "clear":
            plan = command.clear(directory)
        else:
            plan = command.read_plan(directory)
    except command.PlanError as error:
        raise SandboxError(str(error)) from error
    print("\n".join(command.shown(plan)))
    return 0


COMMANDS = {
    "start": _start,
    "stop": _stop,
    "status": _status,
    "env": _env,
    "token": _token,
    "reset": _reset,
    "prepare": _prepare,
    "faults": _faults,
}


def main(argv: list[str]) -> int:
    """Runs one command; gives its exit code."""
    directory = sandbox_directory()
    try:
        if argv[:1] == ["pulumi"]:
            from sandbox import pulumi  # noqa: PLC0415 # imports the engine

            return pulumi.run(directory, argv[1:])
        arguments = _parser().parse_args(argv)
        code = COMMANDS[arguments.command](directory, arguments)
        sys.stdout.flush()
    except SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `... | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
