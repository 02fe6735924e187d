"""How fast the local Azure's blob storage is, beside a plain copy of the same file in the same run.

`python -m benchmarks.storage [--megabytes N] [--rounds R]`: azure-storage-blob, unmodified, drives a server in a process
of its own through the gateway (proxy, TLS, signatures), so client and server share the machine as they do in use.
The quickest round counts, so that another load on the machine is not measured.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient, ContainerClient

ROOT = Path(__file__).parent.parent
MIB = 1024 * 1024
SMALL = 500
LISTED = (1000, 4000)


def quickest(rounds: int, action: Callable[[], Any]) -> float:
    """Seconds of the quickest round."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def transfers(service: BlobServiceClient, directory: Path, megabytes: int, rounds: int) -> None:
    """Megabytes a second up and down, whole and by blocks, and of a plain copy."""
    content = os.urandom(megabytes * MIB)
    file = directory / "content"
    file.write_bytes(content)
    blob = service.get_blob_client("data", "large")
    whole = {"max_single_put_size": 2 * len(content), "max_single_get_size": 2 * len(content)}
    options: dict[str, Any] = {**whole, **service._bench_transport}  # type: ignore[attr-defined]
    single = BlobServiceClient(service.url, service.credential, **options).get_blob_client("data", "large")
    measured = {
        "plain copy of the file": lambda: shutil.copyfile(file, directory / "copy"),
        "upload, one request": lambda: single.upload_blob(content, overwrite=True),
        "upload, 4 MiB blocks, 2 at a time": lambda: blob.upload_blob(content, overwrite=True, max_concurrency=2),
        "download, one request": lambda: single.download_blob().readinto(io.BytesIO()),
        "download, 4 MiB ranges, 2 at a time": lambda: blob.download_blob(max_concurrency=2).readinto(io.BytesIO()),
    }
    for name, action in measured.items():
        print(f"{name:40} {megabytes / quickest(rounds, action):8.0f} MiB/s")


def small_blobs(container: ContainerClient, rounds: int) -> None:
    """Requests a second for blobs of 1 KiB."""

    def put() -> None:
        for number in range(SMALL):
            container.upload_blob(f"small/{number:05}", b"x" * 1024, overwrite=True)

    def get() -> None:
        for number in range(SMALL):
            container.download_blob(f"small/{number:05}").readall()

    for name, action in (("put 1 KiB", put), ("get 1 KiB", get)):
        print(f"{name:40} {SMALL / quickest(rounds, action):8.0f} requests/s")


def listings(container: ContainerClient, rounds: int) -> None:
    """Milliseconds for a listing of many blobs, which must grow in proportion."""
    made = 0
    for count in LISTED:
        for number in range(made, count):
            container.upload_blob(f"list/{number % 100:03}/{number:06}", b"")
        made = count
        flat = quickest(rounds, lambda: sum(1 for _ in container.list_blobs("list/", results_per_page=500)))
        folded = quickest(rounds, lambda: sum(1 for _ in container.walk_blobs("list/")))
        print(f"{f'list {count} blobs, 500 a page':40} {flat * 1000:8.0f} ms")
        print(f"{f'list their 100 common prefixes':40} {folded * 1000:8.0f} ms")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        command = [sys.executable, "-m", "tests.azure.storage.serve", name]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            port, key, _ = server.stdout.readline().split()
            transport: dict[str, Any] = {
                "proxies": {"https": f"http://127.0.0.1:{port}"},
                "connection_verify": str(directory / "ca.pem"),
            }
            service = BlobServiceClient(
                "https://flat.blob.core.windows.net", key, max_single_put_size=4 * MIB, max_block_size=4 * MIB,
                max_single_get_size=4 * MIB, max_chunk_get_size=4 * MIB, **transport
            )  # fmt: skip
            service._bench_transport = transport  # type: ignore[attr-defined]
            try:
                container = service.create_container("data")
                transfers(service, directory, arguments.megabytes, arguments.rounds)
                small_blobs(container, arguments.rounds)
                listings(container, arguments.rounds)
            finally:
                server.kill()


if __name__ == "__main__":
    main()
