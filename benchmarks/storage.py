"""How fast the local Azure's blob storage is, beside a plain copy of the same file in the same run.

`python benchmarks/storage.py [--megabytes N] [--rounds N] [--write]`: azure-storage-blob, unmodified, drives a server
in a process of its own through the gateway (proxy, TLS, signatures), so client and server share the machine as they do
in use. What is measured takes turns, and the best round of each counts, so that a busy machine hits all alike.
`--write` puts the result into docs/benchmarks/storage.md.
"""

import argparse
import io
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient, ContainerClient

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "benchmarks" / "storage.md"
MIB = 1024 * 1024
SMALL = 300
"""Blobs of 1 KiB that are written and read one after the other."""

LISTED = (1000, 4000)
"""Blobs listed; the time must grow in proportion."""

Measured = dict[str, tuple[Callable[[], Any], Callable[[float], str]]]
"""What is measured: the action, and how its seconds are shown."""


def best(measured: Measured, rounds: int) -> list[tuple[str, str]]:
    """Name and shown result of the quickest round of each."""
    quickest = dict.fromkeys(measured, float("inf"))
    for _ in range(rounds):
        for name, (action, _) in measured.items():
            start = time.perf_counter()
            action()
            quickest[name] = min(quickest[name], time.perf_counter() - start)
    return [(name, show(quickest[name])) for name, (_, show) in measured.items()]


def transfers(directory: Path, megabytes: int, make: Callable[..., BlobServiceClient]) -> Measured:
    """A large blob up and down, whole and in parts, and a plain copy of it."""
    content = os.urandom(megabytes * MIB)
    file = directory / "content"
    file.write_bytes(content)
    size = 2 * len(content)
    single = make(max_single_put_size=size, max_single_get_size=size).get_blob_client("data", "large")
    parts = dict.fromkeys(
        ["max_single_put_size", "max_block_size", "max_single_get_size", "max_chunk_get_size"], 4 * MIB
    )
    parted = make(**parts).get_blob_client("data", "large")

    def rate(seconds: float) -> str:
        return f"{megabytes / seconds:.0f} MiB/s"

    return {
        "plain copy of the file": (lambda: shutil.copyfile(file, directory / "copy"), rate),
        "upload, one request": (lambda: single.upload_blob(content, overwrite=True), rate),
        "upload, 4 MiB blocks, 2 at a time": (
            lambda: parted.upload_blob(content, overwrite=True, max_concurrency=2),
            rate,
        ),
        "download, one request": (lambda: single.download_blob().readinto(io.BytesIO()), rate),
        "download, 4 MiB ranges, 2 at a time": (
            lambda: parted.download_blob(max_concurrency=2).readinto(io.BytesIO()),
            rate,
        ),
    }


def small_blobs(container: ContainerClient) -> Measured:
    """Blobs of 1 KiB, one after the other."""
    names = [f"small/{number:05}" for number in range(SMALL)]

    def rate(seconds: float) -> str:
        return f"{SMALL / seconds:.0f} requests/s"

    return {
        "put 1 KiB": (lambda: [container.upload_blob(name, b"x" * 1024, overwrite=True) for name in names], rate),
        "get 1 KiB": (lambda: [container.download_blob(name).readall() for name in names], rate),
    }


def listings(container: ContainerClient) -> Measured:
    """Listings of few and many blobs, flat and folded into common prefixes."""
    measured: Measured = {}

    def shown(seconds: float) -> str:
        return f"{seconds * 1000:.0f} ms"

    for count in LISTED:
        for number in range(count):
            container.upload_blob(f"{count}/{number % 100:03}/{number:06}", b"")
        prefix = f"{count}/"
        measured[f"list {count} blobs, 500 a page"] = (
            lambda prefix=prefix: list(container.list_blobs(prefix, results_per_page=500)),  # type: ignore[misc]
            shown,
        )
        measured[f"list the 100 common prefixes of {count} blobs"] = (
            lambda prefix=prefix: list(container.walk_blobs(prefix)),  # type: ignore[misc]
            shown,
        )
    return measured


def run(megabytes: int, rounds: int) -> list[tuple[str, str]]:
    """Measures against a server of its own."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "tests.azure.storage.serve", name]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                port, key, _ = server.stdout.readline().split()

                def make(**options: Any) -> BlobServiceClient:
                    options["proxies"] = {"https": f"http://127.0.0.1:{port}"}
                    options["connection_verify"] = str(Path(name) / "ca.pem")
                    return BlobServiceClient("https://flat.blob.core.windows.net", key, **options)

                container = make().create_container("data")
                measured = transfers(Path(name), megabytes, make) | small_blobs(container) | listings(container)
                return best(measured, rounds)
            finally:
                server.kill()


def main() -> int:
    """Measures, prints, and writes the page where that is asked."""
    parser = argparse.ArgumentParser(description="Throughput of the local Azure's blob storage.")
    parser.add_argument("--megabytes", type=int, default=64, help="size of the large blob, in MiB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.relative_to(ROOT)}")
    options = parser.parse_args()
    results = run(options.megabytes, options.rounds)
    for name, result in results:
        print(f"{name:45} {result:>16}")
    if options.write:
        _write(results, options.megabytes, options.rounds)
    return 0


def _write(results: list[tuple[str, str]], megabytes: int, rounds: int) -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    text = [
        "# Blob storage of the local Azure",
        "",
        f"A blob of {megabytes} MiB, and blobs of 1 KiB, by azure-storage-blob through the gateway.",
        "The gateway adds proxy, TLS and Shared Key.",
        f"Best of {rounds} rounds in turn, client and server on one machine. {date.today().isoformat()}, {machine}.",
        "Again: `python benchmarks/storage.py --write`.",
        "",
        "| measured | result |",
        "|---|---|",
        *(f"| {name} | {result} |" for name, result in results),
        "",
    ]
    part = TARGET.with_suffix(".part")
    part.write_text("\n".join(text), encoding="utf-8")
    part.replace(TARGET)


if __name__ == "__main__":
    sys.exit(main())
