"""Microsoft Graph v1.0: graph.microsoft.com."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.azure.cloud import Cloud
from sandbox.azure.errors import AzureError

AUDIENCE = "https://graph.microsoft.com"


def app(cloud: Cloud) -> Starlette:
    """The application of graph.microsoft.com."""

    async def answer(request: Request) -> Response:
        try:
            cloud.tokens.check(request.headers.get("authorization"), AUDIENCE)
            kind = {"users": "user", "groups": "group", "serviceprincipals": "servicePrincipal"}[
                request.path_params["kind"].lower()
            ]
            name = request.path_params.get("name")
            if name is None:
                text = request.query_params.get("$filter", "")
                terms = [one.split(" eq ") for one in text.split(" and ") if one]
                found = [
                    one
                    for one in cloud.store.list(kind)
                    if all(
                        str(one.get(field.strip())).lower() == value.strip().strip("'").lower()
                        for field, value in terms
                    )
                ]
                return JSONResponse({"value": found})
            if kind == "user" and "@" in name:
                one = next((u for u in cloud.store.list(kind) if u["userPrincipalName"].lower() == name.lower()), None)
            else:
                one = cloud.store.get(kind, name)
            if one is None:
                raise AzureError(404, "Request_ResourceNotFound", f"Resource '{name}' does not exist.")
            return JSONResponse(one)
        except AzureError as error:
            return error.response()

    return Starlette(routes=[Route("/v1.0/{kind}", answer), Route("/v1.0/{kind}/{name}", answer)])
