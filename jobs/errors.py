"""What can go wrong on the way to Azure, in words for the person at the keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from terminal import WRONG_USAGE

if TYPE_CHECKING:
    from azure.core.exceptions import ClientAuthenticationError

SIGN_IN = (
    "sign in with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET "
    '(the sandbox\'s: eval "$(python -m sandbox env)")'
)
FEDERATION = "a pipeline's token must be one that an automation in the team's stack file trusts, letter by letter"
NETWORK = "check the network, HTTPS_PROXY and SSL_CERT_FILE (the sandbox's: python -m sandbox start, then env)"

_TRIED = re.compile(r"(?:Authentication failed: |(?=AADSTS\d))(?P<reason>.*)")
"""Of the credential that was there, among those that were not: a secret that was refused, or a login that expired."""
_PIPELINE = re.compile(r"(?P<reason>AADSTS7002\d+.*?|AADSTS70025\b.*?)(?= Trace ID|$)", re.DOTALL)
"""Entra's refusals of a token of another issuer: no such trust, or none that fits."""
_ENTRA = "AADSTS"  # begins every refusal by Entra; without it, Entra was not reached
_NO_TENANT = re.compile(r"Unable to get authority configuration for https://[^/]+/(?P<tenant>[^/\s]+?)\.?\s")
"""MSAL's words for an answer of Entra that has no AADSTS: it knows no such tenant."""
_MISSING = re.compile(r"Missing data for required field")  # of marshmallow, on which azure-ai-ml's schemas rest
_DETAILS = re.compile(r"\A.*?\n\s*Details:\s*(?P<told>.*?)(\n\s*Resolutions:.*)?\Z", re.DOTALL)
"""azure-ai-ml's frame around what is wrong: a title, and hints on editors."""
_STEP = 2  # keys that name a step: jobs, NAME
_ALTERNATIVES = re.compile(r"Value '(?P<value>.*)' passed is not in set \[(?P<allowed>.*)\]")
"""What azure-ai-ml says of a key once for each kind that the part could be, which alone knows these values."""
_WRAPPERS = ("_schema", "value", "null")  # keys of its messages that are not in the file
_KILLED = re.compile(r"exited with status code (?:137|-9)\b")
_ACTION = re.compile(r"perform action '(?P<action>[^']+)'")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class JobError(Exception):
    """A failure with a message for the user: what happened, what is allowed, what to do."""


class UsageError(JobError):
    """Words of the command line that mean nothing, wherever it runs: told before anything is asked of Azure."""

    exit_code = WRONG_USAGE


def first_line(text: str) -> str:
    """Return the first line of a client's message that says anything, without colours."""
    lines = (line.strip() for line in _COLOUR.sub("", text).splitlines())
    return next((line for line in lines if line), "no reason given")


def reason(message: str) -> str:
    """Put a run's failure into a line: Azure ML's words, and of the log's end that follows them the last line."""
    words, mark, log = message.strip().partition(" Error: ")
    said = first_line(words) + mark + log.rpartition("\n")[2].strip()
    if _KILLED.search(said):
        said += " (killed, mostly for lack of memory: a cluster of a larger VM size, or less data at once)"
    return said


def invalid(error: Exception, place: Callable[[Sequence[str]], str] | None = None, source: str = "") -> str:
    """Put what azure-ai-ml's validation says of a job's file into a line a key.

    It nests its findings as JSON in the message, among hints on editors; of alternatives, the first is the likeliest.

    Args:
        error: What azure-ai-ml raised.
        place: Returns the file and line of a key, such as `job.yml:3`.
        source: The file, for a finding without a key.
    """
    lines = []
    for keys, text in _likely(list(_findings(explain(error)))):
        where = (place(keys) if place and keys else source) or ""
        lines.append(": ".join(filter(None, (where, *keys, text))))
    return "\n  ".join(lines)


def _likely(findings: list[tuple[list[str], str]]) -> list[tuple[list[str], str]]:
    """Leave out what only another kind of step would need, where something else of the same step is wrong.

    azure-ai-ml tries every kind that a step can be, and says first what the first kind misses.
    """
    wrong = {tuple(keys[:_STEP]) for keys, text in findings if not _MISSING.match(text) and len(keys) > _STEP}
    return [one for one in findings if not (_MISSING.match(one[1]) and tuple(one[0][:_STEP]) in wrong)]


def _findings(text: str) -> Iterator[tuple[list[str], str]]:
    """Every finding in a message of azure-ai-ml: the keys that lead to it, and what is wrong there."""
    try:
        found, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
    except ValueError:
        lines = _DETAILS.sub(r"\g<told>", text).replace("(x) ", "").splitlines()
        yield [], "\n  ".join(line.strip() for line in lines if line.strip())
        return
    if isinstance(found.get("errors"), list):
        for item in found["errors"]:
            keys = [key for key in str(item.get("path") or "").split(".") if key not in ("", "*")]
            for inner, message in _findings(item["message"]):
                yield keys + inner, message
        return
    if isinstance(found.get("errors"), dict):  # a problem of RFC 7231, which the service answers: field → messages
        found = found["errors"]
    for key, value in found.items():
        found_here = list(_texts(value))
        keys, message = found_here[0] if found_here else ([], "is wrong")
        yield [str(key), *keys], _all_allowed(keys, message, found_here)


def _all_allowed(keys: list[str], message: str, found: list[tuple[list[str], str]]) -> str:
    """Return a message with the values that any alternative allows for the key, where the first names only its own."""
    first = _ALTERNATIVES.fullmatch(message)
    if not first:
        return message
    matches = [_ALTERNATIVES.fullmatch(text) for others, text in found if others == keys]
    allowed = dict.fromkeys(one for match in matches if match for one in match["allowed"].replace("'", "").split(", "))
    return f"'{first['value']}' is not one of {', '.join(allowed)}"


def _texts(value: object) -> Iterator[tuple[list[str], str]]:
    """Every text in nested lists and objects, in one line, with the keys that lead to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from ((keys if key in _WRAPPERS else [str(key), *keys], text) for keys, text in _texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    else:
        yield [], first_line(str(value))


def lost() -> tuple[type[Exception], ...]:
    """Return the exceptions of azure-core that say that the way to Azure was lost, not that Azure refused."""
    from azure.core import exceptions as azure  # noqa: PLC0415 - `python -m jobs --help` is quick without it

    return (azure.ServiceRequestError, azure.ServiceResponseError, azure.IncompleteReadError)


def explain(error: Exception) -> str:
    """Put an exception of the Azure clients into one message: who refused what, and what to do.

    Only azure-core's hierarchy has to be known: identity, storage and azure-ai-ml derive their errors from it.
    """
    from azure.core import exceptions as azure  # noqa: PLC0415 - whoever has such an error has loaded it already

    if isinstance(error.__cause__, lost()):
        error = error.__cause__  # azure-ai-ml wraps what happens while it uploads, without saying so
    if isinstance(error, azure.ClientAuthenticationError) and (told := _sign_in(error)):
        return told
    if isinstance(error, lost()):
        return f"cannot reach Azure: {first_line(str(error))}\n  {NETWORK}"
    if isinstance(error, azure.HttpResponseError):
        code = getattr(error, "error_code", None) or getattr(error.error, "code", None) or error.reason
        message = first_line(getattr(error.error, "message", None) or error.message)
        details = [first_line(one.message) for one in getattr(error.error, "details", None) or () if one.message]
        said = " ".join(dict.fromkeys([message, *details]))
        # A long-running operation that failed is told by an answer of status 200.
        status = f"{error.status_code} " if error.status_code and error.status_code >= HTTPStatus.BAD_REQUEST else ""
        hint = f"\n  {SIGN_IN}" if error.status_code == HTTPStatus.UNAUTHORIZED else _who_may(said)
        return f"Azure refused ({status}{code}): {said}{hint}"
    return _COLOUR.sub("", str(error)).strip()


def _sign_in(error: ClientAuthenticationError) -> str | None:
    """Say why nobody could sign in; None for a service's own 401."""
    if federated := _PIPELINE.search(error.message):
        return f"cannot sign in to Azure: {federated['reason']}\n  {FEDERATION}"
    if error.response is not None:
        return None
    tried = _TRIED.search(error.message)
    if tried is None:
        return f"not signed in to Azure: no credential found\n  {SIGN_IN}"
    if unknown := _NO_TENANT.search(tried["reason"]):
        return f"cannot sign in to Azure: there is no tenant {unknown['tenant']}: see AZURE_TENANT_ID\n  {SIGN_IN}"
    refused = _ENTRA in tried["reason"]
    return f"cannot sign in to Azure: {tried['reason'].strip()}\n  {SIGN_IN if refused else NETWORK}"


def _who_may(said: str) -> str:
    """Say which role has an action that a caller lacks; empty where the refusal names none."""
    found = _ACTION.search(said)
    if not found:
        return ""
    action = found["action"].lower()
    kinds = {
        "microsoft.machinelearningservices/workspaces/computes/write": "the team's lead",
        "microsoft.machinelearningservices/workspaces/computes/delete": "the team's lead",
        "microsoft.machinelearningservices/workspaces/": "the team's data scientists (dataScientists)",
        "microsoft.storage/": "who has the role Storage Blob Data Contributor on the account",
        "microsoft.keyvault/": "who has the role Key Vault Secrets User on the vault",
    }
    who = next((who for prefix, who in kinds.items() if action.startswith(prefix)), "an owner of the subscription")
    return f"\n  {found['action']} is for {who}"
