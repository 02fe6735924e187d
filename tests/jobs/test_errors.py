"""What Azure's clients raise, in one message that says what to do."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from azure.core import PipelineClient
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError, ServiceResponseError
from azure.core.rest import HttpRequest

from jobs.errors import NETWORK, SIGN_IN, JobError, explain, invalid, reason


def refusal(status: int, body: bytes) -> AzureError:
    """The error that azure-core makes of a server's answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        client: PipelineClient[Any, Any] = PipelineClient(address, policies=[])
        with client, pytest.raises(AzureError) as raised:
            client.send_request(HttpRequest("GET", address)).raise_for_status()
    return raised.value


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            403,
            b'{"error":{"code":"AuthorizationFailed","message":"The client may not.\\nMore."}}',
            "Azure refused (403 AuthorizationFailed): The client may not.",
        ),
        (
            403,
            b'{"error":{"code":"AuthorizationFailed","message":"The client may not perform action '
            b"'Microsoft.MachineLearningServices/workspaces/jobs/write' over scope.\"}}",
            "Azure refused (403 AuthorizationFailed): The client may not perform action "
            "'Microsoft.MachineLearningServices/workspaces/jobs/write' over scope.\n  "
            "Microsoft.MachineLearningServices/workspaces/jobs/write is for the team's data scientists",
        ),
        (404, b'{"error":{"code":"NotFound","message":""}}', "Azure refused (404 NotFound): "),
        (500, b"oops", "Azure refused (500 Internal Server Error): "),
    ],
)
def test_a_refusal(status: int, body: bytes, said: str) -> None:
    assert explain(refusal(status, body)).startswith(said)


def test_a_token_that_a_service_refuses_is_no_missing_sign_in() -> None:
    answer = refusal(401, b'{"error":{"code":"ExpiredAuthenticationToken","message":"The access token expired."}}')
    error = ClientAuthenticationError(response=answer.response)  # type: ignore[attr-defined]
    told = "Azure refused (401 ExpiredAuthenticationToken): The access token expired."
    assert explain(error) == f"{told}\n  {SIGN_IN}"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ClientAuthenticationError(
                "Attempted:\n\tA: Authentication failed: AADSTS7000215: Invalid client secret.\nTo"
            ),
            f"cannot sign in to Azure: AADSTS7000215: Invalid client secret.\n  {SIGN_IN}",
        ),
        (
            ClientAuthenticationError(
                "Attempted:\n\tA: Authentication failed: Unable to get authority configuration for "
                "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555. Authority would typically be"
            ),
            "cannot sign in to Azure: there is no tenant 11111111-2222-3333-4444-555555555555: see AZURE_TENANT_ID\n",
        ),
        (
            ClientAuthenticationError("Attempted:\n\tA: Authentication failed: [SSL] certificate verify failed"),
            f"cannot sign in to Azure: [SSL] certificate verify failed\n  {NETWORK}",
        ),
        (
            ClientAuthenticationError("Attempted:\n\tAzureCliCredential: ERROR: AADSTS700082: It expired.\nx"),
            f"cannot sign in to Azure: AADSTS700082: It expired.\n  {SIGN_IN}",
        ),
        (ClientAuthenticationError("nothing there"), f"not signed in to Azure: no credential found\n  {SIGN_IN}"),
        (ServiceRequestError("no route"), f"cannot reach Azure: no route\n  {NETWORK}"),
        (ServiceResponseError("reset\nby peer"), f"cannot reach Azure: reset\n  {NETWORK}"),
        (ValueError("\x1b[31m x \x1b[39m\n"), "x"),
    ],
)
def test_explain(error: Exception, said: str) -> None:
    assert explain(error).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'failed:\n\n {"command": ["Missing."], "inputs": {"a": [{"path": ["No."]}, "b"]}}\nhint',
            "command: Missing.\n  inputs: a: path: No.",
        ),
        (
            'failed: {"errors": [{"message": "x: {\\"c\\": [\\"Wrong.\\"]}"}, {"message": "second"}]}',
            "c: Wrong.\n  second",
        ),
        ("one\n\n two {not json}", "one\n  two {not json}"),
        ('failed: {"a": []}', "a: is wrong"),
        (
            'failed: {"d": [{"type": ["Value \'x\' passed is not in set [\'mpi\']"]}, '
            "{\"type\": [\"Value 'x' passed is not in set ['ray', 'pytorch']\"]}]}",
            "d: type: 'x' is not one of mpi, ray, pytorch",
        ),
        ('failed: {"inputs": {"a": {"value": {"mode": ["No."]}}}}', "inputs: a: mode: No."),
    ],
)
def test_invalid(text: str, said: str) -> None:
    assert invalid(JobError(text)) == said


@pytest.mark.parametrize("code", ["137", "-9"])
def test_a_run_that_was_killed_is_told_the_likely_cause(code: str) -> None:
    text = f"Execution failed. User process 'bash' exited with status code {code}. Error: one\ntwo"
    assert reason(text).endswith(
        "Error: two (killed, mostly for lack of memory: a cluster of a larger VM size, or less data at once)"
    )
