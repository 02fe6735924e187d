"""How fast the local Azure's blob storage is, beside Azurite and beside a server that answers at once, in one run.

`python benchmarks/storage.py [--megabytes N] [--rounds N] [--azurite COMMAND] [--write]`: azure-storage-blob,
unmodified, drives each server in a process of its own. The local Azure and the null server stand behind the gateway
with its proxy and TLS, Azurite is asked by plain HTTP. What is measured takes turns, and the best round of each counts,
so that a busy machine hits all alike. Azurite is npm's package, kept below `.cache`. `--write` puts the result into
docs/benchmarks/storage.md.
"""

import argparse
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient, ContainerClient

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import null_server, report  # noqa: E402 # the repository's root is known only now

MIB = 1024 * 1024
SMALL = 300  # blobs of 1 KiB that are written and read one after the other
LISTED = (1000, 4000)  # blobs listed; the time must grow in proportion
AZURITE = "azurite@3.35.0"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's one account and its key, which are public: learn.microsoft.com/azure/storage/common/storage-use-azurite."""
BARS = {"Azurite": 1.2, "null": 1.3}
"""At least so many times as fast as the one, and at most so many times the other's time."""

Action = Callable[[], Any]
Make = Callable[..., BlobServiceClient]


@dataclass(frozen=True)
class Row:
    """What is measured.

    Attributes:
        name: As the page calls it.
        amount: Of `unit` in an action; 0 where the time itself is shown.
        unit: MiB or requests.
        bound: Whether the bar of the null server is for it.
    """

    name: str
    amount: float = 0
    unit: str = ""
    bound: bool = False

    def shown(self, seconds: float) -> str:
        """The result of an action that took so long."""
        return f"{self.amount / seconds:.0f} {self.unit}/s" if self.amount else f"{seconds * 1000:.0f} ms"


def transfers(folder: Path, megabytes: int, make: Make) -> dict[Row, Action]:
    """A large blob up and down, whole and in parts."""
    content = (folder / "content").read_bytes()
    size = 2 * len(content)
    single = make(max_single_put_size=size, max_single_get_size=size).get_blob_client("data", "large")
    parts = dict.fromkeys(
        ["max_single_put_size", "max_block_size", "max_single_get_size", "max_chunk_get_size"], 4 * MIB
    )
    parted = make(**parts).get_blob_client("data", "large")

    def row(name: str) -> Row:
        return Row(name, megabytes, "MiB")

    return {
        row("upload, one request"): lambda: single.upload_blob(content, overwrite=True),
        row("upload, 4 MiB blocks, 2 at a time"): lambda: parted.upload_blob(
            content, overwrite=True, max_concurrency=2
        ),
        row("download, one request"): lambda: single.download_blob().readinto(io.BytesIO()),
        row("download, 4 MiB ranges, 2 at a time"): lambda: parted.download_blob(max_concurrency=2).readinto(
            io.BytesIO()
        ),
    }


def small_blobs(container: ContainerClient) -> dict[Row, Action]:
    """Blobs of 1 KiB, one after the other."""
    names = [f"small/{number:05}" for number in range(SMALL)]
    return {
        Row("put 1 KiB", SMALL, "requests", bound=True): lambda: [
            container.upload_blob(name, null_server.KIB, overwrite=True) for name in names
        ],
        Row("get 1 KiB", SMALL, "requests", bound=True): lambda: [
            container.download_blob(name).readall() for name in names
        ],
    }


def listings(container: ContainerClient) -> dict[Row, Action]:
    """Listings of few and many blobs, flat and folded into common prefixes."""
    found: dict[Row, Action] = {}
    for count in LISTED:
        for number in range(count):
            container.upload_blob(f"{count}/{number % 100:03}/{number:06}", b"")
        prefix = f"{count}/"
        found[Row(f"list {count} blobs, 500 a page")] = (
            lambda prefix=prefix: list(container.list_blobs(prefix, results_per_page=500))  # type: ignore[misc]
        )
        found[Row(f"list the 100 common prefixes of {count} blobs")] = (
            lambda prefix=prefix: list(container.walk_blobs(prefix))  # type: ignore[misc]
        )
    return found


@contextmanager
def _process(*command: str | Path, line: bool = True) -> Iterator[str]:
    """A server; gives the first line that it prints."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline() if line else ""
        finally:
            server.kill()


def _through_proxy(host: str, port: str, authority: Path, key: str) -> Make:
    def make(**options: Any) -> BlobServiceClient:
        options["proxies"] = {"https": f"http://127.0.0.1:{port}"}
        return BlobServiceClient(f"https://{host}", key, connection_verify=str(authority), **options)

    return make


@contextmanager
def _ours(folder: Path) -> Iterator[Make]:
    with _process(sys.executable, "-m", "tests.azure.storage.serve", folder) as said:
        port, key, _ = said.split()
        yield _through_proxy("flat.blob.core.windows.net", port, folder / "ca.pem", key)


@contextmanager
def _null(folder: Path) -> Iterator[Make]:
    with _process(sys.executable, "-m", "benchmarks.null_server", folder) as said:
        yield _through_proxy(null_server.HOST, said.strip(), folder / "null-ca.pem", KEY)


@contextmanager
def _azurite(command: str, folder: Path) -> Iterator[Make]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    words = ["--blobHost", "127.0.0.1", "--blobPort", port, "--location", str(folder / "azurite"), "--silent"]
    with _process(command, *words, "--skipApiVersionCheck", "--disableTelemetry", line=False):
        _await(int(port))
        yield lambda **options: BlobServiceClient(f"http://127.0.0.1:{port}/{ACCOUNT}", KEY, **options)


def _await(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("Azurite does not listen")


def installed() -> str:
    """Azurite's command: from PATH, else npm's package below `.cache`; empty where neither can be had."""
    found = shutil.which("azurite-blob")
    command, npm = ROOT / ".cache" / "azurite" / "node_modules" / ".bin" / "azurite-blob", shutil.which("npm")
    if found is None and not command.exists() and npm:
        words = [npm, "install", "--silent", "--no-save", "--prefix", str(command.parents[2]), AZURITE]
        subprocess.run(words, check=False)
    return found or (str(command) if command.exists() else "")


def run(megabytes: int, rounds: int, azurite: str) -> dict[Row, dict[str, float]]:
    """The quickest round of each action, in seconds, by server."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "content").write_bytes(os.urandom(megabytes * MIB))
        actions: dict[str, dict[Row, Action]] = {}
        servers = {"ours": _ours(folder)} | ({"Azurite": _azurite(azurite, folder)} if azurite else {})
        for server, running in servers.items():
            make = stack.enter_context(running)
            container = make().create_container("data")
            actions[server] = transfers(folder, megabytes, make) | small_blobs(container) | listings(container)
        make = stack.enter_context(_null(folder))
        actions["null"] = transfers(folder, megabytes, make) | small_blobs(make().get_container_client("data"))
        quickest: dict[Row, dict[str, float]] = {row: {} for row in actions["ours"]}
        for _ in range(rounds):
            for row, best in quickest.items():
                for server in (one for one in actions if row in actions[one]):
                    begun = time.perf_counter()
                    actions[server][row]()
                    best[server] = min(best.get(server, float("inf")), time.perf_counter() - begun)
        return quickest


def lines(measured: dict[Row, dict[str, float]]) -> list[str]:
    """The table."""
    found = [
        "| measured | here | Azurite | its time / ours | null server | ours / its time |",
        "|---|---|---|---|---|---|",
    ]
    for row, best in measured.items():
        cells = [row.name, row.shown(best["ours"])]
        for server in BARS:
            cells.append(row.shown(best[server]) if server in best else "–")
            ratio = best[server] / best["ours"] if server in best else 0
            cells.append(f"{ratio if server == 'Azurite' else 1 / ratio:.2f}" if ratio else "–")
        found.append(f"| {' | '.join(cells)} |")
    return found


def missed(measured: dict[Row, dict[str, float]]) -> list[str]:
    """The rows that miss a bar.

    Where even the null server, through TLS and proxy, does not reach Azurite's bar, its own bar is the row's.
    """
    found = []
    for row, best in measured.items():
        wanted = best.get("Azurite", float("inf")) / BARS["Azurite"]
        bound = row.bound or best.get("null", 0) > wanted
        if best["ours"] > wanted and best.get("null", 0) <= wanted:
            found.append(f"{row.name}: slower than the bar beside Azurite")
        if bound and best["ours"] / best["null"] > BARS["null"]:
            found.append(f"{row.name}: slower than the bar beside the null server")
    return found


def main() -> int:
    """Measures, prints, and writes the page where that is asked; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description="Throughput of the local Azure's blob storage.")
    parser.add_argument("--megabytes", type=int, default=64, help="size of the large blob, in MiB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--azurite", default=None, help="the azurite-blob command; by default it is installed by npm")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/storage.md")
    options = parser.parse_args()
    azurite = installed() if options.azurite is None else options.azurite
    measured = run(options.megabytes, options.rounds, azurite)
    print("\n".join(lines(measured)))
    for one in missed(measured):
        print(one, file=sys.stderr)
    if options.write:
        words = (
            f"A blob of {options.megabytes} MiB, blobs of 1 KiB and listings, by azure-storage-blob, the best of "
            f"{options.rounds} rounds in turn.\nThe local Azure and the null server, which answers at once, stand "
            f"behind the gateway; {AZURITE} is asked by plain HTTP.\nThe bars: every row at least {BARS['Azurite']} "
            f"times as fast as Azurite, small blobs at most {BARS['null']} times the null server's time.\nWhere the "
            "null server itself is not so much faster than Azurite, the client's own work through TLS is the bound:\n"
            "there the null server's bar holds.\nAgain: `python benchmarks/storage.py --write`."
        )
        report.write("storage", "Blob storage of the local Azure", words, lines(measured))
    return 1 if missed(measured) else 0


if __name__ == "__main__":
    sys.exit(main())
