"""A small server with the contract of Microsoft's inference server, for environments that cannot have that.

`init()` once a worker, `run(body)` a request; `/`, `/score` and `/swagger.json`. `rawhttp`, `AMLRequest` and
`AMLResponse` can be imported from where the inference server has them.
Source: learn.microsoft.com/azure/machine-learning/how-to-inference-server-http.
"""

from __future__ import annotations  # the environment's Python may be an older one

import importlib.util
import inspect
import json
import os
import signal
import socketserver
import sys
import time
import traceback
import types
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOOT_ERROR = 3  # the exit code of a worker whose script cannot be used, as gunicorn has it
NAME = "azureml_inference_server_http"


def _say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} [{os.getpid()}] {text}\n")
    sys.stdout.flush()


class AMLResponse:
    """An answer with a status and headers of its own."""

    def __init__(
        self, message: Any, status_code: int, response_headers: dict[str, str] | None = None, json_str: bool = False
    ) -> None:
        self.status_code = status_code
        self.headers = dict(response_headers or {})
        if isinstance(message, bytes):
            self.data = message
        else:
            self.data = (json.dumps(message) if json_str or message is None else str(message)).encode()
        kind = "application/json" if json_str else "text/html; charset=utf-8"
        if not any(name.lower() == "content-type" for name in self.headers):
            self.headers["Content-Type"] = kind


class AMLRequest:
    """A request, as `run` gets it that is decorated with `rawhttp`."""

    def __init__(self, method: str, target: str, headers: Any, data: bytes) -> None:
        self.method, self.headers, self.data = method, headers, data
        self.url, self.path = target, urlsplit(target).path
        self.args = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}

    def get_data(self, as_text: bool = False) -> Any:
        """The body."""
        return self.data.decode() if as_text else self.data

    @property
    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.data)


def _rawhttp(function: Callable[..., Any]) -> Callable[..., Any]:
    function.raw = True  # type: ignore[attr-defined] # a mark
    return function


def _offer_modules() -> None:
    """Makes the names importable that scripts take from the inference server."""
    contents: dict[str, dict[str, Any]] = {
        NAME: {},
        f"{NAME}.api": {},
        f"{NAME}.api.aml_request": {"rawhttp": _rawhttp, "AMLRequest": AMLRequest},
        f"{NAME}.api.aml_response": {"AMLResponse": AMLResponse},
    }

    for name, names in contents.items():
        module = types.ModuleType(name)
        module.__path__ = []
        vars(module).update(names)
        sys.modules[name] = module


class Script:
    """The user's script."""

    def __init__(self) -> None:
        root = os.environ["AML_APP_ROOT"]
        sys.path.append(root)
        path = f"{root}/{os.environ['AZUREML_ENTRY_SCRIPT']}"
        spec = importlib.util.spec_from_file_location("entry_module", path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is no Python file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name in ("init", "run"):
            if not hasattr(module, name):
                raise AttributeError(f"User script at {path} does not have a {name}() function defined.")
        self.run = module.run
        parameters = list(inspect.signature(module.run).parameters)
        self.headers = "request_headers" in parameters
        self.raw = getattr(module.run, "raw", False)
        self.parameter = next(name for name in parameters if name != "request_headers")
        _say("Invoking user's init function")
        module.init()
        _say("Users's init has completed successfully")

    def answer(self, request: AMLRequest) -> tuple[AMLResponse, float]:
        """What `run` makes of a request, and how many milliseconds it took."""
        given: Any = request
        if not self.raw:
            given = request.data.decode() if request.method == "POST" else json.dumps(request.args)
        arguments = {self.parameter: given}
        if self.headers:
            arguments["request_headers"] = {name.title(): value for name, value in request.headers.items()}
        begun = time.perf_counter()
        found = self.run(**arguments)
        elapsed = (time.perf_counter() - begun) * 1000
        return (found if isinstance(found, AMLResponse) else AMLResponse(found, 200, json_str=True)), elapsed


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def address_string(self) -> str:
        return "sandbox"

    def log_message(self, format: str, *args: Any) -> None:  # the base's name
        if self.path != "/":
            _say(format % args)

    def do_GET(self) -> None:  # http.server's names
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        path = urlsplit(self.path).path
        elapsed: float | None = None
        if path == "/":
            response = AMLResponse("Healthy", 200)
        elif path == "/swagger.json":
            response = AMLResponse(_swagger(), 200, json_str=True)
        elif path == "/score":
            response, elapsed = self._score()
        else:
            response = AMLResponse({"message": "Not found"}, 404, json_str=True)
        failed = response.status_code >= 500  # noqa: PLR2004 # the server's own errors
        self.send_response(response.status_code)
        shown = {**response.headers, "x-ms-run-function-failed": str(failed), "Content-Length": str(len(response.data))}
        if elapsed is not None:
            shown["x-ms-run-fn-exec-ms"] = f"{elapsed:.3f}"
        shown["x-request-id"] = self.headers.get("x-request-id") or str(uuid.uuid4())
        for name, value in shown.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.data)

    def _score(self) -> tuple[AMLResponse, float | None]:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            return self.server.script.answer(AMLRequest(self.command, self.path, self.headers, data))
        except UnicodeDecodeError as error:
            return AMLResponse({"message": f"Input cannot be decoded as UTF-8: {error}"}, 400, json_str=True), None
        except Exception:
            _say(f"Encountered Exception: {traceback.format_exc()}")
            text = "An unexpected error occurred in scoring script. Check the logs for more info."
            return AMLResponse({"message": text}, 500, json_str=True), None


def _swagger() -> dict[str, Any]:
    body = {"type": "object"}
    return {
        "swagger": "2.0",
        "info": {"title": "ML service", "version": "1.0"},
        "schemes": ["https"],
        "paths": {
            "/score": {
                "post": {
                    "operationId": "RunMLService",
                    "parameters": [{"name": "serviceInputPayload", "in": "body", "schema": body}],
                    "responses": {"200": {"description": "The result.", "schema": body}},
                }
            }
        },
    }


class _Server(socketserver.UnixStreamServer):
    script: Script
    request_queue_size = 2048


def _work(server: _Server) -> None:
    """A worker: its own script, one request after the other."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        server.script = Script()
    except BaseException:
        _say(f"User's script failed: {traceback.format_exc()}")
        os._exit(BOOT_ERROR)
    _say(f"Worker with pid {os.getpid()} ready for serving traffic")
    server.serve_forever()


def serve(socket: str, workers: int) -> None:
    """Serves with so many workers until it is told to end; SIGTTIN adds one, SIGTTOU takes one away."""
    _say(f"{NAME} is not installed: a server with its contract stands for it")
    _offer_modules()
    server = _Server(socket, _Handler)
    running: list[int] = []
    wanted = [workers]

    def change(number: int, frame: Any) -> None:
        del frame
        wanted[0] = max(1, wanted[0] + (1 if number == signal.SIGTTIN else -1))

    def stop(number: int, frame: Any) -> None:
        del number, frame
        for one in running:
            os.kill(one, signal.SIGTERM)
        sys.exit(0)

    signal.signal(signal.SIGTTIN, change)
    signal.signal(signal.SIGTTOU, change)
    signal.signal(signal.SIGTERM, stop)
    while True:
        while len(running) < wanted[0]:
            pid = os.fork()
            if pid == 0:
                _work(server)
            running.append(pid)
        while len(running) > wanted[0]:
            os.kill(running.pop(), signal.SIGTERM)
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in running:
            running.remove(pid)
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) == BOOT_ERROR:
                sys.exit(BOOT_ERROR)
        time.sleep(0.1)
