"""Pulumi.yaml and Pulumi.<stack>.yaml: the project, and a stack's configuration."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import terminal
from sandbox.engine.errors import EngineError
from sandbox.engine.state.secrets import Secrets
from sandbox.engine.values import Map, secret
from sandbox.yamlfile import read_yaml
from terminal import scalars

_INT64 = 2**63
_PROJECT_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")


def load_yaml(file: Path) -> Map:
    """The mapping that a YAML file holds.

    Raises:
        EngineError: the file cannot be read, or holds something else.
    """
    try:
        content = read_yaml(terminal.read_text(file), scalars.Loader)
    except OSError as e:
        raise EngineError(f"{file} cannot be read: {e.strerror}") from e
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise EngineError(f"{file} is not valid YAML: {e}") from e
    if content is not None and not isinstance(content, dict):
        raise EngineError(f"{file} must hold a mapping, not {type(content).__name__}")
    return content or {}


@dataclass(frozen=True)
class Project:
    """The content of Pulumi.yaml."""

    name: str
    directory: Path
    main: Path
    backend: str = ""
    plugins: dict[str, str] = field(default_factory=dict)  # package -> path of its plugin
    config: Map = field(default_factory=dict)

    @classmethod
    def find(cls, directory: Path) -> "Project":
        """The project that a directory is in.

        Raises:
            EngineError: The directory is in no project, or in one that cannot be run here.
        """
        for folder in (directory, *directory.parents):
            for name in ("Pulumi.yaml", "Pulumi.yml"):
                if (folder / name).is_file():
                    return cls._load(folder / name)
        raise EngineError(
            f"no Pulumi.yaml project file found (searching upwards from {directory}); "
            "change to a project's directory or use --cwd"
        )

    @classmethod
    def _load(cls, file: Path) -> "Project":
        given = load_yaml(file)
        runtime = given.get("runtime")
        runtime = runtime.get("name") if isinstance(runtime, dict) else runtime
        if not isinstance(given.get("name"), str):
            raise EngineError(f"{file}: 'name' is missing: the project needs one")
        if not _PROJECT_NAME.fullmatch(given["name"]):  # it is a folder's name in the backend
            raise EngineError(
                f"{file}: 'name' {given['name'][:100]!r}: up to 100 letters, digits, '-', '_' and '.' are allowed"
            )
        if runtime != "python":
            raise EngineError(
                f"{file}: runtime {runtime!r} is not supported by the embedded engine, which runs Python only; "
                "use the pulumi CLI"
            )
        try:
            return cls(
                name=given["name"],
                directory=file.parent,
                main=file.parent / (given.get("main") or "."),
                backend=(given.get("backend") or {}).get("url", ""),
                plugins={
                    p["name"]: p["path"] for p in (given.get("plugins") or {}).get("providers") or () if "path" in p
                },
                config=dict(given.get("config") or {}),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as e:
            raise EngineError(
                f"{file}: 'main', 'backend', 'plugins' or 'config' has another form than Pulumi's: {e}"
            ) from e


@dataclass
class Config:
    """A stack's configuration: every key with its namespace, every value as the text that the program gets."""

    values: dict[str, str] = field(default_factory=dict)
    secret_keys: list[str] = field(default_factory=list)
    salt: str | None = None

    @classmethod
    def load(cls, project: Project, stack: str, file: Path | None, given: Sequence[str], secrets_of: "Any") -> "Config":
        """The configuration of a stack.

        Args:
            project: whose defaults apply.
            stack: the stack's name.
            file: instead of the project's Pulumi.<stack>.yaml.
            given: `key=value` of the command line, which come first.
            secrets_of: makes the Secrets of a salt, for values that are `secure`.

        Raises:
            EngineError: the file cannot be read, or a secret of it cannot be decrypted.
        """
        path = file or project.directory / f"Pulumi.{stack}.yaml"
        if file and not file.is_file():
            raise EngineError(f"the configuration file {file} does not exist")
        stored = load_yaml(path) if path.is_file() else {}
        for key in ("environment", "secretsprovider"):
            if stored.get(key) not in (None, "passphrase"):
                raise EngineError(
                    f"{path}: {key!r} is not supported by the embedded engine: "
                    "give the values in 'config', secrets by passphrase"
                )
        config = cls(salt=stored.get("encryptionsalt"))
        secrets: Secrets = secrets_of(config.salt)
        for key, value in {**_defaults(project), **_with_namespace(stored.get("config") or {}, project, path)}.items():
            config._add(key, value, secrets, path)
        for item in given:
            key, equals, text = item.partition("=")
            if not equals:
                raise EngineError(f"--config {item!r} must be key=value")
            config._add(key if ":" in key else f"{project.name}:{key}", text, secrets, path)
        return config

    def _add(self, key: str, value: Any, secrets: Secrets, file: Path) -> None:
        try:
            plain, is_secret = _reveal(value, secrets)
        except EngineError as e:
            raise EngineError(f"{file}: {key}: {e}") from e
        try:
            self.values[key] = _text(plain)
        except ValueError as e:
            raise EngineError(f"{file}: {key}: {e}") from e
        if is_secret and key not in self.secret_keys:
            self.secret_keys.append(key)

    def by_package(self) -> dict[str, Map]:
        """The default providers' settings, secrets marked."""
        settings: dict[str, Map] = {}
        for key, value in self.values.items():
            package, _, name = key.partition(":")
            settings.setdefault(package, {})[name] = secret(value) if key in self.secret_keys else value
        return settings

    def shown(self) -> dict[str, str]:
        """The configuration with secrets masked."""
        return {k: "[secret]" if k in self.secret_keys else v for k, v in self.values.items()}


def _text(value: Any) -> str:
    """The form in which the program gets a value, as in the real engine (`resource/config/object.go`): text, or JSON.

    Raises:
        ValueError: a number that JSON has not.
    """
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return scalars.text(value)
    return json.dumps(_without_large(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)


def _without_large(value: Any) -> Any:
    """The value with whole numbers beyond 64 bits as Go's floats, which is what it reads them back as."""
    if isinstance(value, dict):
        return {key: _without_large(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_large(inner) for inner in value]
    large = isinstance(value, int) and not -_INT64 <= value < _INT64
    return scalars.whole(float(value)) if large else value


def _defaults(project: Project) -> Map:
    defaults = {}
    for key, given in project.config.items():
        value = given.get("value", given.get("default")) if isinstance(given, dict) else given
        if value is not None:
            defaults[key if ":" in key else f"{project.name}:{key}"] = value
    return defaults


def _with_namespace(config: Any, project: Project, file: Path) -> Map:
    if not isinstance(config, dict):
        raise EngineError(f"{file}: 'config' must be a mapping of keys to values")
    return {key if ":" in str(key) else f"{project.name}:{key}": value for key, value in config.items()}


def _reveal(value: Any, secrets: Secrets) -> tuple[Any, bool]:
    """A value with its `secure` parts decrypted, and whether there are any."""
    if isinstance(value, dict):
        if set(value) == {"secure"} and isinstance(value["secure"], str):
            return secrets.decrypt(value["secure"]), True
        pairs = {k: _reveal(v, secrets) for k, v in value.items()}
        return {k: v for k, (v, _) in pairs.items()}, any(s for _, s in pairs.values())
    if isinstance(value, list):
        items = [_reveal(v, secrets) for v in value]
        return [v for v, _ in items], any(s for _, s in items)
    return value, False
