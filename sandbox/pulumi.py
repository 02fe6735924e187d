"""`python -m sandbox pulumi ...`: Pulumi's command line against the sandbox.

The real `pulumi` where it is on PATH, else the embedded engine. Both get the owner's client environment, and a file
backend, a passphrase and a PULUMI_HOME below the sandbox's folder. So nothing outside the folder changes. No file of
the project changes, except by `config` and `stack rename`, which are there to change the stack file.

The real command line writes a salt into the stack file and deletes the file with its stack. It therefore gets a copy
of the stack file, and is told to leave the project's own alone.
"""

import argparse
import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml

from sandbox import control
from sandbox.control import SandboxError
from sandbox.environment import persona_environment
from sandbox.yamlfile import read_yaml
from terminal import write_whole

FORCE_EMBEDDED = ("SANDBOX_ENGINE", "embedded")
MAKING = frozenset({"up", "update", "preview", "pre"})
"""Commands that make the stack if there is none, as the embedded engine does."""
OPERATIONS = MAKING | {"refresh", "destroy", "down"}
"""Commands that need Azure."""
_RESOURCE_TYPE = re.compile(r"[\w-]+:[\w/-]*:\w+")  # after `import`, it tells a resource from a state
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
    running = control.require(directory) if _operates(words) else control.find(directory)
    if running is not None:
        environment |= persona_environment(directory, running.port, "owner")
    os.environ.update(environment)
    pulumi = shutil.which("pulumi")
    name, value = FORCE_EMBEDDED
    if pulumi is None or os.environ.get(name) == value:
        return _embedded(argv)
    return _Real(pulumi, home, given, words).run(argv)


def _operates(words: Sequence[str]) -> bool:
    return (words[:1] == ["import"] and any(map(_RESOURCE_TYPE.fullmatch, words))) or bool(OPERATIONS & set(words[:1]))


def _given(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The stack, project folder and stack file that the words name, and the command with its own words."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-s", "--stack", default=os.environ.get("PULUMI_STACK", ""))
    parser.add_argument("-C", "--cwd", type=Path, default=Path())
    parser.add_argument("--config-file")
    given, rest = parser.parse_known_args(argv)
    return given, [word for word in rest if not word.startswith("-")]


def _backend(home: Path) -> dict[str, str]:
    """The variables that name Pulumi's state folder and the passphrase for secrets."""
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


class _Real:
    """One command of the real `pulumi`, with the stand-ins as its plugins.

    Args:
        pulumi: The command.
        home: The sandbox's folder for Pulumi.
        given: The stack, project folder and stack file that the words name.
        words: The command and its own words.
    """

    def __init__(self, pulumi: str, home: Path, given: argparse.Namespace, words: list[str]) -> None:
        self._pulumi, self._home, self._given, self._words = pulumi, home, given, words

    def run(self, argv: list[str]) -> int:
        """Runs the command on a copy of the stack file, so that the project stays as it is; returns its exit code.

        Raises:
            SandboxError: No stack is named, or the stack or its copy cannot be made.
        """
        from sandbox.providers import plugins  # noqa: PLC0415

        plugins.install(self._home / "home")
        first, second = [*self._words, "", ""][:2]
        if (first, second) == ("stack", "init"):
            return _wait_for([self._pulumi, *argv, "--cwd", str(self._folder())])
        stack = next(iter(self._words[2:]), self._given.stack)
        if (first, second) == ("stack", "select") and stack and {"--create", "-c"} & set(argv):
            self._stack_file(stack, make=True)
        if first == "stack" and second in ("rm", "remove"):
            code = _wait_for([self._pulumi, *argv, "--preserve-config"])
            if not code:
                self._forget(stack)
            return code
        if _operates(self._words):
            return self._operate(argv)
        if (first, second) == ("stack", "import"):
            self._stack_file(self._named(), make=True)
        return _wait_for([self._pulumi, *argv])

    def _operate(self, argv: list[str]) -> int:
        """An operation; `destroy --remove` removes the stack in a step of its own, which leaves the stack file."""
        stack = self._named()
        copy = self._stack_file(stack, make=bool(MAKING & set(self._words)))
        remove = "--remove" in argv
        argv = [word for word in argv if word != "--remove"]
        code = _wait_for([self._pulumi, *argv, "--config-file", str(copy)])
        if remove and not code and "--preview-only" not in argv:
            words = ["stack", "rm", stack, "--yes", "--preserve-config", "--cwd", str(self._given.cwd)]
            code = _wait_for([self._pulumi, *words])
            self._forget(stack)
        return code

    def _named(self) -> str:
        if not self._given.stack:
            raise SandboxError(f"say which stack `pulumi {' '.join(self._words[:2])}` works on: --stack NAME")
        return str(self._given.stack)

    def _folder(self) -> Path:
        """The folder with the sandbox's copies of the project's stack files; it has the project's name."""
        file = self._given.cwd / "Pulumi.yaml"
        try:
            name = str(read_yaml(file.read_text(encoding="utf-8"))["name"])
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
            raise SandboxError(f"{file} is no Pulumi project file: {error}") from error
        if not re.fullmatch(r"[\w-][\w.-]{0,99}", name, re.ASCII):
            raise SandboxError(f"{file}: the name {name[:100]!r} is not letters, digits, '-', '_' and '.'")
        folder = self._home / "stacks" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": name, "runtime": "python"}), encoding="utf-8")
        return folder

    def _stack_file(self, stack: str, make: bool) -> Path:
        """A copy of the stack's file with the salt that Pulumi made for it.

        Args:
            stack: The stack's name.
            make: Whether the stack is made if there is none.
        """
        folder = self._folder()
        name = f"Pulumi.{stack}.yaml"
        copy, original = folder / name, self._given.cwd / (self._given.config_file or name)
        if make and not (self._home / ".pulumi" / "stacks" / folder.name / f"{stack}.json").exists():
            command = [self._pulumi, "stack", "init", stack, "--cwd", str(folder)]
            if subprocess.run(command, stdout=STDERR, check=False).returncode:  # noqa: S603 # stdout may be JSON
                raise SandboxError(f"the stack {stack} cannot be made: see above what pulumi says")
        text = original.read_bytes() if original.exists() else b""
        salt = _salt(copy)
        if salt and not _salt(original):
            text = b"encryptionsalt: " + salt + b"\n" + text.removeprefix(_BYTE_ORDER_MARK)
        write_whole(copy, text, private=True)
        return copy

    def _forget(self, stack: str) -> None:
        """Remove the copy of the stack file of a stack that is gone."""
        (self._folder() / f"Pulumi.{stack}.yaml").unlink(missing_ok=True)


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


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


def _salt(stack_file: Path) -> bytes:
    match = (
        re.search(rb"^encryptionsalt: *(\S+)", stack_file.read_bytes(), re.MULTILINE) if stack_file.exists() else None
    )
    return match[1] if match else b""
