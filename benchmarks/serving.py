"""How much the local Azure ML costs beside a deployment's own server, and whether traffic goes where it is to.

`python benchmarks/serving.py [--requests N] [--write]`: four clients that keep their connections ask a deployment whose
`run` does nothing, with a body of 1 KB, through the gateway. The floor is the same server on its own socket, asked by
the same clients in the same run. `--write` puts the result into docs/benchmarks/serving.md.
"""

import argparse
import asyncio
import os
import ssl
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.jobs import processor  # noqa: E402 # the repository's root is known only now
from benchmarks.report import write  # noqa: E402 # the repository's root is known only now
from tests.azure.client import Client  # noqa: E402
from tests.azure.ml import serving  # noqa: E402
from tests.azure.ml.harness import REGION, team  # noqa: E402
from tests.azure.ml.serving import Endpoint  # noqa: E402
from tests.conftest import Sandbox  # noqa: E402

CLIENTS, ROUNDS = 4, 10
BODY = b'{"data": "' + b"x" * 1012 + b'"}'
NOTHING = "def init():\n    pass\ndef run(body):\n    return 1\n"
SETTINGS = {
    "instanceType": "Standard_F2s_v2",
    "environmentVariables": {"WORKER_COUNT": "2"},
    "requestSettings": {"maxConcurrentRequestsPerInstance": CLIENTS, "requestTimeout": "PT60S"},
}
Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@dataclass
class Found:
    """What clients saw.

    Attributes:
        seconds: Of each request.
        statuses: How many answers had each status.
        deployments: How many came from each deployment.
        whole: Seconds of all together.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    deployments: Counter[str] = field(default_factory=Counter)
    whole: float = 0.0

    def add(self, other: "Found") -> None:
        """Takes another's requests as well."""
        self.seconds += other.seconds
        self.whole += other.whole

    @property
    def median(self) -> float:
        """The median of the requests, in milliseconds."""
        return statistics.median(self.seconds) * 1000

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.seconds) / self.whole


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, found: Found) -> None:
    """One request and its answer."""
    begun = time.perf_counter()
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    await reader.readexactly(int(lines["content-length"]))
    found.seconds.append(time.perf_counter() - begun)
    found.statuses[int(head.split(" ")[1])] += 1
    found.deployments[lines.get("azureml-model-deployment", "")] += 1


async def load(connect: Connect, request: bytes, more: Callable[[], bool], *, keep: bool) -> Found:
    """All clients, until there is no more to ask.

    Args:
        connect: Opens a connection.
        request: What is sent each time.
        more: Whether there is one more request.
        keep: Whether a client keeps its connection.
    """
    found = Found()

    async def client() -> None:
        reader, writer = await connect()
        while more():
            await ask(reader, writer, request, found)
            if not keep:
                writer.close()
                reader, writer = await connect()
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    found.whole = time.perf_counter() - begun
    return found


def counted(most: int) -> Callable[[], bool]:
    """True so many times."""
    left = iter(range(most))
    return lambda: next(left, None) is not None


def gateway(sandbox: Sandbox, host: str) -> Connect:
    """Connects through the gateway, as a client with HTTPS_PROXY does."""
    variables = sandbox.environment("owner")
    proxy, context = urlsplit(variables["HTTPS_PROXY"]), ssl.create_default_context(cafile=variables["SSL_CERT_FILE"])

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(proxy.hostname, proxy.port)
        writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        await writer.start_tls(context, server_hostname=host)
        return reader, writer

    return connect


def request(host: str, key: str) -> bytes:
    """What a client sends."""
    head = f"POST /score HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY


async def switched(sandbox: Sandbox, made: Endpoint, asked: bytes, host: str) -> Found:
    """Load while blue gives its traffic to green, and blue gets other code and takes it back."""
    done = asyncio.Event()
    running = asyncio.create_task(load(gateway(sandbox, host), asked, lambda: not done.is_set(), keep=True))
    environment = made.get("/deployments/blue")["properties"]["environmentId"]
    try:
        await asyncio.sleep(1)
        await asyncio.to_thread(made.traffic, blue=0, green=100)
        again = await asyncio.to_thread(
            made.served, "blue", NOTHING + "# other\n", environmentId=environment, **SETTINGS
        )
        assert again["status"] == "Succeeded", again
        await asyncio.to_thread(made.traffic, blue=100, green=0)
        last = await asyncio.to_thread(made.served, "blue", NOTHING + "# last\n", environmentId=environment, **SETTINGS)
        assert last["status"] == "Succeeded", last
        await asyncio.sleep(1)
    finally:
        done.set()
    return await running


def measure(sandbox: Sandbox, requests: int) -> list[tuple[str, str, str]]:
    """Rows of what was measured, its result and its bar."""
    place = team(Client(sandbox))
    made, environment = serving.endpoint(place), serving.environment(place)
    for name in ("blue", "green"):
        done = made.served(name, NOTHING, environmentId=environment, **SETTINGS)
        assert done["status"] == "Succeeded", (done, made.logs(name))
    made.traffic(blue=100)
    host, key = f"{made.name}.{REGION}.inference.ml.azure.com", made.key()
    asked, through = request(host, key), gateway(sandbox, host)
    made.score({})  # certificate and connection are not what is measured
    socket = str(next((sandbox.directory / "serving").glob("*/*/run/s")))
    pid = sandbox.pid
    floor, ours, used = Found(), Found(), 0.0
    for _ in range(ROUNDS):  # by turns, as the machine may have other work
        each = requests // 10 // ROUNDS
        floor.add(asyncio.run(load(lambda: asyncio.open_unix_connection(socket), asked, counted(each), keep=False)))
        before = processor(pid)
        ours.add(asyncio.run(load(through, asked, counted(each), keep=True)))
        used += processor(pid) - before
    cost = used / len(ours.seconds) * 1000
    made.traffic(blue=90, green=10)
    shared = asyncio.run(load(through, asked, counted(requests), keep=True))
    part = shared.deployments["green"] / len(shared.seconds) * 100
    made.traffic(blue=100)
    changed = asyncio.run(switched(sandbox, made, asked, host))
    lost = len(changed.seconds) - changed.statuses[200]
    return [
        (f"the bare server, {CLIENTS} clients, 1 KB", f"{floor.median:.1f} ms, {floor.rate:.0f}/s", ""),
        ("the same through the gateway", f"{ours.median:.1f} ms, {ours.rate:.0f}/s", "≥ 200/s"),
        ("above the bare server, at the median", f"{ours.median - floor.median:.1f} ms", "≤ 5 ms"),
        ("processor time of the sandbox for a request", f"{cost:.1f} ms", ""),
        (f"{len(shared.seconds)} requests at 90/10: green has", f"{part:.2f} %", "9 to 11 %"),
        ("of them not answered with 200", f"{len(shared.seconds) - shared.statuses[200]}", "0"),
        (f"{len(changed.seconds)} requests while blue and green change places: lost", f"{lost}", "0"),
    ]


def main() -> int:
    """Measures, prints, and writes the page where that is asked."""
    parser = argparse.ArgumentParser(description="What serving costs beside the server, and where requests go.")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/serving.md")
    options = parser.parse_args()
    os.environ.setdefault("UV_CACHE_DIR", str(ROOT / ".cache" / "uv"))
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder) / ".sandbox")
        sandbox.start()
        try:
            rows = measure(sandbox, options.requests)
        finally:
            sandbox.stop()
    for what, result, bar in rows:
        print(f"{what:60} {result:>18}  {bar}")
    if options.write:
        lines = ["| What | Result | Bar |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
        words = "What they cost beside a deployment's server: `python benchmarks/serving.py --write`."
        write("serving", "Online endpoints", words, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
