"""The variables with which an unmodified Azure client reaches the sandbox."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from sandbox.azure.access.tenant import Persona, load_personas
from sandbox.azure.cloud import load_seed
from sandbox.studio.process import OWN_BROWSER

CA = "ca.pem"
OPENS = "-m sandbox open"
"""What the variable BROWSER has in a shell that `python -m sandbox env` set up."""


def connection(directory: Path, port: int) -> dict[str, str]:
    """The way to the gateway, and whom to trust on it; no credentials."""
    proxy, bundle = f"http://127.0.0.1:{port}", str(directory / CA)
    return {
        "HTTPS_PROXY": proxy,
        "https_proxy": proxy,
        # Replaces the user's own, which may have Azure's hosts; gRPC would take loopback through the proxy, too.
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",
        "SSL_CERT_FILE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "CURL_CA_BUNDLE": bundle,
    }


def client(directory: Path, port: int, persona: Persona, seed: dict[str, Any]) -> dict[str, str]:
    """All that a persona's client needs: the connection, and its credentials under Azure's and Pulumi's names."""
    credentials = {
        "TENANT_ID": seed["tenantId"],
        "CLIENT_ID": persona.client_id,
        "CLIENT_SECRET": persona.secret,
        "SUBSCRIPTION_ID": seed["subscriptions"][0]["id"],
    }
    named = {f"{prefix}_{name}": value for prefix in ("AZURE", "ARM") for name, value in credentials.items()}
    return {**connection(directory, port), **named}


def persona_environment(directory: Path, port: int, name: str) -> dict[str, str]:
    """The client environment of a persona of the sandbox in this folder, which it names as well.

    By the folder, `python -m sandbox` and `python -m jobs` find the sandbox from any directory.
    """
    seed = load_seed()
    credentials = client(directory, port, load_personas(directory, seed)[name], seed)
    return {**credentials, "SANDBOX_DIR": str(directory), **_browser(name)}


def _browser(persona: str) -> dict[str, str]:
    """Opens Azure ML's addresses in the local studio; what the user's own variable says opens the studio.

    `BROWSER` as Python's `webbrowser` and xdg-open read it: a command, with the address in place of `%s`.
    """
    command = ["env", f"PYTHONPATH={Path(__file__).parent.parent}", sys.executable, "-m", "sandbox", "open"]
    own = os.environ.get("BROWSER", "")
    kept = os.environ.get(OWN_BROWSER, "") if OPENS in own else own
    return {"BROWSER": f"{shlex.join(command)} --persona {persona} %s", **({OWN_BROWSER: kept} if kept else {})}


def persona_environments(directory: Path, port: int) -> dict[str, dict[str, str]]:
    """The client environments of all personas, by name."""
    return {name: persona_environment(directory, port, name) for name in load_seed()["personas"]}
