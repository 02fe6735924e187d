"""The JSON schema of a stack file and the reference of the settings, both made from the model."""

import json
from collections.abc import Iterator
from typing import Any

from settings.department import Department
from settings.problems import KEY

_INTRO = f"""# Settings

A department's platform is one structured value of a stack file, `Pulumi.<stack>.yaml`, under `config` and the key
`{KEY}`. `Pulumi.dev.yaml` and `Pulumi.prod.yaml` are examples. Everything is validated before the
first resource. `python -m department check Pulumi.*.yaml` does the same without an engine: exit code 0
if the file is valid, 1 if not, 2 for wrong usage. `--json` is for programs. An editor that knows `yaml-language-server`
completes the keys by the schema in `docs/settings.schema.json`.

Nothing in the settings is secret. The program also reads values that `pulumi config set --secret` encrypted; `check`
names them and checks the rest, and commands such as `costs` refuse the file.
A stack can set `pulumi:disable-default-providers: ["*"]`: the program then makes its providers itself. Set it before
the first `up`, since Pulumi replaces the groups and service principals whose provider changes.

Do you come from BlueGranite's amls_admin scripts? Convert their `config.yml` to a stack file:
`python -m department convert config.yml --output Pulumi.dev.yaml`. Where the scripts silently did something wrong, the
command corrects it and prints a note, or ends with an error that names the key.

Names follow a fixed scheme: resource group `{{department}}-{{team}}-{{region}}-{{environment}}`, and all others begin
with `{{department}}{{team}}{{regionAbbreviation}}{{environment}}`.
An organization with a scheme of its own gives patterns.
Names as the Cloud Adoption Framework recommends them begin so:

```yaml
environment: pro
naming:
  environment: prod
  resourceGroup: rg-{{department}}-{{team}}-{{environment}}-{{region}}
  workspace: mlw-{{department}}-{{team}}-{{environment}}
  workStorage: stwork{{team}}{{environment}}{{hash}}
  keyVault: kv-{{team}}-{{environment}}-{{hash}}
  applicationInsights: appi-{{department}}-{{team}}-{{environment}}
```

`environment` stays `res`, `dev` or `pro`, since defaults hang on it; the tag and the output `environment` have it, too.
`naming.environment` is what names have, also those of roles and groups in Entra.

A team that is renamed keeps its resources with `formerName`. Without it, the preview names the team that is gone and
what the update would delete. Where the new team would get the same names on Azure, the preview is refused.

This page is generated from the model: `python -m department docs`.
"""


_LONGEST_ENUM = 8
_PLAIN = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "date": "day",
}


def schema() -> str:
    """JSON schema of a stack file."""
    department = Department.model_json_schema()
    definitions = department.pop("$defs")
    stack_file = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack file of azureml-platform",
        "type": "object",
        "properties": {"config": {"type": "object", "properties": {KEY: department}, "required": [KEY]}},
        "required": ["config"],
        "$defs": definitions,
    }
    return json.dumps(stack_file, indent=2, ensure_ascii=False) + "\n"


def reference() -> str:
    """The settings reference, in Markdown."""
    department = Department.model_json_schema()
    definitions = department.pop("$defs")
    sections = [_INTRO, *_section("Department", department)]
    for name in _in_order(department, definitions):
        sections += _section(name, definitions[name])
    return "\n".join(sections)


def _in_order(schema: Any, definitions: dict[str, Any], seen: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The definitions in the order in which a reader meets them."""
    for name in _references(schema):
        if name not in seen:
            seen = _in_order(definitions[name], definitions, (*seen, name))
    return seen


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rsplit("/", 1)[1]
        for value in schema.values():
            yield from _references(value)
    if isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _section(name: str, schema: dict[str, Any]) -> list[str]:
    schema = next((option for option in schema.get("anyOf", ()) if "properties" in option), schema)
    required = schema.get("required", [])
    rows = [
        f"| `{key}` | {_type(field)} | {_default(field, required=key in required)} | {field.get('description', '')} |"
        for key, field in schema["properties"].items()
    ]
    return [
        f"## {name}",
        "",
        schema["description"],
        "",
        "| Key | Type | Default | Meaning |",
        "|---|---|---|---|",
        *rows,
        "",
    ]


def _type(field: dict[str, Any]) -> str:
    match field:
        case {"$ref": reference_}:
            name = reference_.rsplit("/", 1)[1]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": options}:
            return " or ".join(dict.fromkeys(_type(option) for option in options if option.get("type") != "null"))
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values) if len(values) <= _LONGEST_ENUM else "text"
        case {"type": "array", "items": items}:
            return f"list of {_type(items)}"
        case {"const": value}:
            return f"`{value}`"
    inner = field.get("additionalProperties", {}).get("type") if field["type"] == "object" else None
    return f"mapping to {_PLAIN[inner]}" if inner else _PLAIN[field.get("format", field["type"])]


def _default(field: dict[str, Any], *, required: bool) -> str:
    if required:
        return "**required**"
    default = field.get("default")
    return "" if default in (None, [], {}) or isinstance(default, dict) else f"`{json.dumps(default)}`"
