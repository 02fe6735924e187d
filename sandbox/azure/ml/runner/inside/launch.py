"""Starts a deployment's server on a Unix socket: `launch.py SOCKET WORKERS`.

The first line of the input is the word to begin; the input's end is the sandbox's end, and so the server's.
Microsoft's inference server is used where it is installed: its WSGI application under gunicorn, as its own command line
would listen on all of the machine's addresses.
"""

import importlib
import importlib.util
import os
import signal
import sys
import threading

GO = b"go\n"
DEFAULT_TIMEOUT = 300  # seconds after which gunicorn ends a worker that does not answer; the inference server's default


def _end_with(told: int) -> None:
    """Ends this group of processes at the input's end."""
    while os.read(told, 64):
        pass
    os.killpg(0, signal.SIGKILL)


def _gunicorn(socket: str, workers: int) -> None:
    from azureml_inference_server_http import __version__  # noqa: PLC0415 # the environment's, where it has it
    from azureml_inference_server_http.constants import PACKAGE_ROOT  # noqa: PLC0415
    from azureml_inference_server_http.log_config import load_logging_config  # noqa: PLC0415
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415

    load_logging_config(PACKAGE_ROOT, silent=True)
    os.environ.setdefault("HTTP_X_MS_SERVER_VERSION", f"azmlinfsrv/{__version__}")
    settings = {
        "bind": f"unix:{socket}",
        "workers": workers,
        "timeout": int(os.environ.get("WORKER_TIMEOUT", DEFAULT_TIMEOUT)),
        "accesslog": "-",
        "errorlog": os.devnull,  # the inference server's own logger has the errors
        "control_socket_disable": True,
    }

    class Server(BaseApplication):  # type: ignore[misc] # its module has no types
        def load_config(self) -> None:
            for name, value in settings.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> object:
            from azureml_inference_server_http.server.entry import app  # noqa: PLC0415 # loads the user's script

            return app

    Server().run()


def main() -> None:
    """Waits for the word, then serves."""
    socket, workers = sys.argv[1], int(sys.argv[2])
    told = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if os.read(told, len(GO)) != GO:
        return
    threading.Thread(target=_end_with, args=(told,), daemon=True).start()
    here = sys.path.pop(0)  # the scripts' folder is none of the user's
    if importlib.util.find_spec("azureml_inference_server_http") and importlib.util.find_spec("gunicorn"):
        _gunicorn(socket, workers)
    else:
        sys.path.append(here)
        importlib.import_module("fallback").serve(socket, workers)


if __name__ == "__main__":
    main()
