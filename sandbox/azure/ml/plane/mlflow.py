"""What all of MLflow's REST API has in common: refusals, names, pages, and the two ways that clients come.

Clients reach it as `/mlflow/v1.0` (plain MLflow, over https) or `/mlflow/v2.0` (azureml-mlflow); they differ in how
artifacts are addressed. Source: mlflow's REST API documentation and service.proto; limits as mlflow's server has them.
"""

import math
import re
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Body
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml.plane.routing import Handler, Request, Route, route

API = "/api/2.0/mlflow"
CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
}
MAX_KEY = 250  # characters
OPTIONAL = ("dataset_name", "dataset_digest")  # of a metric's point


class MlflowError(AzureError):
    """A refusal as MLflow words it: `error_code` and `message`."""

    def __init__(self, code: str, message: str) -> None:
        status = {"RESOURCE_DOES_NOT_EXIST": 404, "PERMISSION_DENIED": 403}.get(code, 400)
        super().__init__(status, code, message)


def mlflow_error(error: AzureError) -> Response:
    """Any refusal as an answer that MLflow's client understands."""
    code = error.code if isinstance(error, MlflowError) else CODES.get(error.status, "INTERNAL_ERROR")
    body = {**error.body(), "error_code": code, "message": error.message}
    return JSONResponse(body, error.status, headers=error.headers)


def text_of(request: Request, name: str, default: str | None = None) -> str:
    """A string of the body or the query.

    Raises:
        MlflowError: It is missing and has no default.
    """
    value = request.body.get(name, request.query.get(name, default))
    if value is None or (value == "" and default is None):
        raise MlflowError("INVALID_PARAMETER_VALUE", f"Missing value for required parameter '{name}'.")
    return str(value)


def key_of(value: Any, what: str) -> str:
    """A name of a metric, parameter or tag.

    Raises:
        MlflowError: It is empty, too long or has characters that MLflow refuses.
    """
    key = str(value or "")
    bad = not re.fullmatch(r"[/\w.\- :]+", key) or key.startswith("/") or ".." in key.split("/")
    if bad or len(key) > MAX_KEY:
        raise MlflowError(
            "INVALID_PARAMETER_VALUE",
            f"Invalid {what} name: '{key}'. Names may only contain alphanumerics, underscores (_), dashes (-), periods "
            f"(.), spaces ( ), colon(:) and slashes (/), in at most {MAX_KEY} characters.",
        )
    return key


def plain(request: Request) -> bool:
    """Whether plain MLflow asks, and not azureml-mlflow."""
    return "/mlflow/v1.0/" in request.base


def plugin_address(request: Request) -> str:
    """The workspace's address as azureml-mlflow has it."""
    return request.base.replace("https://", "azureml://", 1)


def number(value: float) -> float | str:
    """A number as MLflow's JSON has it, which knows names for what JSON has none."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def shown_metric(name: str, point: Body) -> Body:
    """A point of a metric as MLflow shows it."""
    shown = {"key": name, "value": number(point["value"]), "timestamp": point["timestamp"], "step": point["step"]}
    for key in OPTIONAL:
        if point.get(key):
            shown[key] = point[key]
    return shown


def pairs(values: dict[str, str]) -> list[Body]:
    """Strings by name as MLflow lists them."""
    return [{"key": key, "value": value} for key, value in values.items()]


def from_pairs(pairs: Any, what: str) -> dict[str, str]:
    """The reverse of `pairs`.

    Raises:
        MlflowError: A name is not valid.
    """
    return {key_of(one.get("key"), what): str(one.get("value", "")) for one in pairs or []}


def listing(request: Request, name: str) -> list[str]:
    """A list of the body, or of the query, where each is a parameter of its own."""
    if name in request.body:
        return [str(one) for one in request.body[name] or []]
    return request.http.query_values(name)


def page(request: Request, name: str, found: list[Body], default: int, most: int = 1000) -> Body:
    """A page and, where more follows, the token of the next."""
    size = request.number("max_results", default, max(most, default))
    token = text_of(request, "page_token", "") or "0"
    if not token.isdecimal():
        raise MlflowError("INVALID_PARAMETER_VALUE", f"Invalid page token '{token}'.")
    start = int(token)
    answer: Body = {name: found[start : start + size]}
    if start + size < len(found):
        answer["next_page_token"] = str(start + size)
    return answer


def api(method: str, path: str, action: str, handle: Handler) -> Route:
    """A route of MLflow's API."""
    return route(method, f"{API}{path}", action, handle)
