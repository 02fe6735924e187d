"""A report as JSON, and back: the form in which it travels from one job of a pipeline to the next.

Whoever reads a report that a pull request's code made trusts none of it: `read_report` refuses what is too large or of
another form, and every format escapes what it shows.
"""

import json
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from review.report import Report

MOST_BYTES: Final = 20_000_000
"""Size of a report that is still read: 300 stacks of 10 teams take a tenth of it."""


class DocumentError(Exception):
    """A document is no report; the text says why."""


@cache
def _adapter() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


def to_json(report: Report) -> str:
    """The report as JSON."""
    return _adapter().dump_json(report, indent=2).decode() + "\n"


def read_report(data: bytes) -> Report:
    """The report in a JSON document.

    Raises:
        DocumentError: It is too large, no JSON or no report.
    """
    if len(data) > MOST_BYTES:
        raise DocumentError(f"the report has {len(data)} bytes; at most {MOST_BYTES} are read")
    try:
        return _adapter().validate_json(data, strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:200]
        raise DocumentError(f"this is no report of a review: {where or 'the document'}: {first['msg']}") from None


def schema() -> str:
    """The JSON schema of a report, as it is committed."""
    made: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_adapter().json_schema()}
    return json.dumps(made, indent=2) + "\n"
