"""Takes secrets out of what is shown of a request: by the names that they have, and by what they look like.

A query's values are shown only where the parameter is known to hold none. Of a body nothing is shown where it holds
what only its owner knows by name: files, a vault's secrets. What a person writes into a command line is no secret by
either, and stays.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote

MASK = "•••"
PLAIN_PARAMETERS = re.compile(
    r"\$(expand|filter|orderby|select|skip|top)|action|api-version|comp|delimiter|directory|experiment_ids?|include"
    r"|listviewtype|max_?results|order_?by|path|position|prefix|recursive|resource|restype|run_(id|uuid)|snapshot|timeout|top",
    re.IGNORECASE,
)
"""Parameters of a query whose values are shown."""
PLAIN_FIELDS = re.compile(r"client_assertion_type|client_id|grant_type|resource|scope", re.IGNORECASE)
"""Fields of a token request that are shown."""
GIVES_SECRETS = re.compile(
    r"/(list\w*(keys?|secrets?|credentials?|sas)|regenerate\w*|generate\w*|addpassword|token)/?$", re.IGNORECASE
)
"""Ends the path of a request whose answer is a secret."""
CODE = re.compile(r"[\w.-]{1,100}")
"""What an error code looks like; a model's own error may be any text."""
FORM = "application/x-www-form-urlencoded"
MAX_BODY = 65536  # bytes of a body that is looked at
MAX_SHOWN = 4096  # characters of a body that are kept
_NAME = re.compile(r"[\w.$-]{1,64}")
_DEPTH = 40  # of a body's nesting
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)?s?$|pwd|secret|tokens?$|signature|credential|connection_?string|"
    r"(^|_)(sas|sig|pin|pfx)$|sas_?(uri|url)$|authorization|cookie|assertion|certificate|thumbprint|nonce|"
    r"(account|api|access|shared|private|primary|secondary|encryption|instrumentation|admin|master|storage)[_-]?keys?$|"
    r"^keys$|^key[0-9]+$|key_?(value|material)|^env$|^environment_?variables$|^headers$",
    re.IGNORECASE,
)
"""Names whose values, and everything below them, are secrets or may be."""
_TOKEN = re.compile(r"(?:(?<![\w-])|(?<=%[0-9A-F]{2}))eyJ[\w-]{8,}\.[\w-]+\.?[\w-]*", re.IGNORECASE)  # a JWT
_ASSIGNED = re.compile(
    r"(?i)((?:(?:(?<![a-z])|(?<=%3F)|(?<=%26))(?:sig|code)|signature|token|secret|passw(?:or)?d|pwd|key)(?:=|%3D))"
    r"[^&\s\"'\\;,<>]*?(?=%26|[&\s\"'\\;,<>]|$)"
)
_LOOKS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("eyJ", _TOKEN, MASK),
    ("eyj", _TOKEN, MASK),  # in an error message, for one
    ("-----BEGIN", re.compile(r"-----BEGIN[^-]*-----.*?(?:-----END[^-]*-----|$)", re.DOTALL), MASK),
    ("earer", re.compile(r"[Bb]earer(?:\s|%20|\+)[^\s\"',;]+"), MASK),
    ("SharedKey", re.compile(r"SharedKey(?:Lite)?(?:\s|%20|\+)[^\s\"',;]+"), MASK),
    ("Basic", re.compile(r"Basic(?:\s|%20|\+)[\w+/=-]{8,}"), MASK),
    ("==", re.compile(r"[A-Za-z0-9+/]{86}=="), MASK),  # an account's key
    ("://", re.compile(r"(?<=://)[^/@\s:]*:[^/@\s]+(?=@)"), MASK),  # name and password in an address
    ("=", _ASSIGNED, rf"\1{MASK}"),  # `sig=...` and alike, in an address or a connection string
    ("%3", _ASSIGNED, rf"\1{MASK}"),  # the same, percent-encoded
)
"""What a secret looks like: a text that stands in each, which is quick to look for; the pattern; and what to put there.

Each pattern takes time in proportion to the text: what may run on for long begins at few places only.
"""


def text(value: str) -> str:
    """A text without what looks like a secret."""
    for sign, pattern, shown in _LOOKS:
        if sign in value:
            value = pattern.sub(shown, value)
    return value


def path(value: str) -> str:
    """A path, which is kept as it is unless it holds a secret; one that hides in percent-encoding is found, too."""
    if "%" in value and text(plain := unquote(value)) != plain:
        return text(plain)
    return text(value)


def query(value: str) -> str:
    """A query: its names, and those values that are shown."""
    return _pairs(value, PLAIN_PARAMETERS)


def _pairs(value: str, plain: re.Pattern[str]) -> str:
    """Pairs as queries and forms have them. A name without a value may be a secret itself."""
    shown = []
    for name, given in parse_qsl(value, keep_blank_values=True):
        if plain.fullmatch(name):
            shown.append(f"{name}={text(given)}")
        else:
            shown.append(f"{name if given and _NAME.fullmatch(name) else MASK}={MASK}")
    return "&".join(shown)


def body(content_type: str, content: bytes, size: int) -> str:
    """What is shown of a body.

    Args:
        content_type: What it is.
        content: Its beginning, at most `MAX_BODY` bytes.
        size: How many bytes it has.
    """
    if not size:
        return ""
    kind = text(content_type.partition(";")[0].strip().lower()) or "unknown type"
    if size > MAX_BODY or not kind.endswith(("json", FORM)):
        return f"({size} bytes of {kind}, not kept)"[:MAX_SHOWN]
    try:
        shown = _pairs(content.decode("utf-8", "replace"), PLAIN_FIELDS) if kind == FORM else _json(content)
    except (ValueError, RecursionError):
        return f"({size} bytes that are no JSON, not kept)"
    return shown if len(shown) <= MAX_SHOWN else shown[:MAX_SHOWN] + "…"


def _json(content: bytes) -> str:
    return json.dumps(_without(json.loads(content), 0), ensure_ascii=False)


def _without(value: Any, depth: int) -> Any:
    """A JSON value without secrets."""
    if depth > _DEPTH:
        return MASK
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [_without(one, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    named = next((value[one] for one in ("name", "key", "keyName") if isinstance(value.get(one), str)), "")
    hidden = bool(_SECRET_NAME.search(named))
    return {
        text(name): MASK
        if inner not in (None, "", [], {}) and (_SECRET_NAME.search(name) or (hidden and name.lower() == "value"))
        else _without(inner, depth + 1)
        for name, inner in value.items()
    }
