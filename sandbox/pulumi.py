"""`python -m sandbox pulumi ...`: Pulumi's command line against the sandbox.

The real `pulumi` where it is on PATH, else the embedded engine. Either gets the owner's client environment and a file
backend, a passphrase and a PULUMI_HOME below the sandbox's folder, so that nothing outside it, and no tracked file,
changes.
"""

import argparse
import os
import re
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import yaml

from sandbox import control
from sandbox.control import SandboxError
from sandbox.environment import persona_environment
from sandbox.yamlfile import read_yaml
from terminal import write_whole

FORCE_EMBEDDED = ("SANDBOX_ENGINE", "embedded")
OPERATIONS = frozenset({"up", "update", "preview", "pre", "refresh", "destroy", "down"})
PASSPHRASE_BYTES = 32
STDERR = 2


def run(directory: Path, argv: list[str]) -> int:
    """Runs one command of Pulumi's; gives its exit code.

    Raises:
        SandboxError: The sandbox is not running and the command needs it, or its folder cannot be written.
    """
    home = directory / "pulumi"
    given, words = _given(argv)
    environment = _backend(home)
    running = control.require(directory) if words[:1] and words[0] in OPERATIONS else control.find(directory)
    if running is not None:
        environment |= persona_environment(directory, running.port, "owner")
    os.environ.update(environment)
    pulumi = shutil.which("pulumi")
    name, value = FORCE_EMBEDDED
    if pulumi is None or os.environ.get(name) == value:
        return _embedded(argv)
    return _real(pulumi, home, argv, given, words)


def _given(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The stack, project folder and stack file that the words name, and the command with its own words."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-s", "--stack", default=os.environ.get("PULUMI_STACK", ""))
    parser.add_argument("-C", "--cwd", type=Path, default=Path())
    parser.add_argument("--config-file")
    given, rest = parser.parse_known_args(argv)
    return given, [word for word in rest if not word.startswith("-")]


def _backend(home: Path) -> dict[str, str]:
    """Where Pulumi keeps its state, and with what it encrypts secrets."""
    passphrase = home / "passphrase"
    try:
        (home / "home").mkdir(mode=0o700, parents=True, exist_ok=True)
        if not passphrase.exists():
            write_whole(passphrase, secrets.token_urlsafe(PASSPHRASE_BYTES).encode(), private=True)
    except OSError as error:
        raise SandboxError(f"{home} cannot be used: {error.strerror}") from error
    return {
        "PULUMI_BACKEND_URL": home.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
        "PULUMI_HOME": str(home / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def _embedded(argv: list[str]) -> int:
    from sandbox import engine  # noqa: PLC0415 # Pulumi's SDK takes most of a second to import
    from sandbox.providers.azure_native import AzureNative  # noqa: PLC0415
    from sandbox.providers.azuread import AzureAD  # noqa: PLC0415

    return engine.main(argv, providers={"azure-native": AzureNative, "azuread": AzureAD})


def _real(pulumi: str, home: Path, argv: list[str], given: argparse.Namespace, words: list[str]) -> int:
    """The real engine with the stand-in plugins, and a copy of the stack file, which it may write a salt into."""
    from sandbox.providers import plugins  # noqa: PLC0415

    plugins.install(home / "home")
    if words[:2] == ["stack", "init"]:
        return _wait_for([pulumi, *argv, "--cwd", str(_stack_folder(home, given.cwd))])
    if words[:1] and words[0] in OPERATIONS:
        return _wait_for([pulumi, *argv, "--config-file", str(_stack_file(pulumi, home, given, words))])
    if words[:2] == ["stack", "import"]:
        _stack_file(pulumi, home, given, words)
    return _wait_for([pulumi, *argv])


def _wait_for(command: list[str]) -> int:
    """Runs a command that ends by itself, in order, when the terminal interrupts both; gives its exit code."""
    with subprocess.Popen(command) as process:  # noqa: S603 # the user's own pulumi
        before = (
            signal.signal(signal.SIGINT, signal.SIG_IGN),
            signal.signal(signal.SIGTERM, lambda *_: process.terminate()),
        )
        try:
            return process.wait()
        finally:
            signal.signal(signal.SIGINT, before[0])
            signal.signal(signal.SIGTERM, before[1])


def _stack_folder(home: Path, project: Path) -> Path:
    """Where the sandbox keeps its copies of a project's stack files: a project folder of the same name."""
    try:
        name = str(read_yaml((project / "Pulumi.yaml").read_text(encoding="utf-8"))["name"])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SandboxError(f"{project / 'Pulumi.yaml'} is no Pulumi project file: {error}") from error
    if not re.fullmatch(r"[\w-][\w.-]{0,99}", name, re.ASCII):
        raise SandboxError(
            f"{project / 'Pulumi.yaml'}: the name {name[:100]!r} is not letters, digits, '-', '_' and '.'"
        )
    folder = home / "stacks" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": name, "runtime": "python"}), encoding="utf-8")
    return folder


def _stack_file(pulumi: str, home: Path, given: argparse.Namespace, words: list[str]) -> Path:
    """A copy of the stack's file with the salt that Pulumi made for it; the stack is made if there is none."""
    if not given.stack:
        raise SandboxError(f"say which stack `pulumi {' '.join(words[:2])}` works on: --stack NAME")
    folder = _stack_folder(home, given.cwd)
    stack_file = f"Pulumi.{given.stack}.yaml"
    copy, original = folder / stack_file, given.cwd / (given.config_file or stack_file)
    if not (home / ".pulumi" / "stacks" / folder.name / f"{given.stack}.json").exists():
        making = [pulumi, "stack", "init", given.stack, "--cwd", str(folder)]
        if subprocess.run(making, stdout=STDERR, check=False).returncode:  # noqa: S603 # standard output may be JSON
            raise SandboxError(f"the stack {given.stack} cannot be made: see above what pulumi says")
    text = original.read_bytes() if original.exists() else b""
    salt = _salt(copy)
    if salt and not _salt(original):
        text = b"encryptionsalt: " + salt + b"\n" + text
    write_whole(copy, text, private=True)
    return copy


def _salt(stack_file: Path) -> bytes:
    match = (
        re.search(rb"^encryptionsalt: *(\S+)", stack_file.read_bytes(), re.MULTILINE) if stack_file.exists() else None
    )
    return match[1] if match else b""
