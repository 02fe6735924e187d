"""What was acknowledged survives SIGKILL at any moment, and nothing else stays on disk."""

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobBlock, BlobServiceClient, ContainerClient
from azure.storage.filedatalake import DataLakeServiceClient, FileSystemClient

from sandbox.azure.cloud import open_cloud
from sandbox.azure.storage.containers import all_files

ROOT = Path(__file__).parents[3]


@dataclass
class Server:
    """The process, and clients of its accounts."""

    process: subprocess.Popen[str]
    container: ContainerClient
    files: FileSystemClient


@contextmanager
def served(directory: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "tests.azure.storage.serve", str(directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, flat, lake = process.stdout.readline().split()
        transport: dict[str, Any] = {
            "proxies": {"https": f"http://127.0.0.1:{port}"},
            "connection_verify": str(directory / "ca.pem"),
            "retry_total": 0,
        }
        blobs = BlobServiceClient("https://flat.blob.core.windows.net", flat, **transport)
        paths = DataLakeServiceClient("https://lake.dfs.core.windows.net", lake, **transport)
        try:
            yield Server(process, blobs.get_container_client("data"), paths.get_file_system_client("fs1"))
        finally:
            process.kill()


@dataclass
class Known:
    """What the server has acknowledged, and what it may have done without saying so."""

    sure: dict[str, bytes] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    directories: dict[str, str] = field(default_factory=dict)


def put(server: Server, known: Known, rng: random.Random) -> None:
    name, content = f"b{rng.randrange(8)}", rng.randbytes(rng.randrange(300_000))
    known.unsure.add(name)
    server.container.upload_blob(name, content, overwrite=True)
    known.sure[name] = content
    known.unsure.discard(name)


def blocks(server: Server, known: Known, rng: random.Random) -> None:
    name, parts = f"c{rng.randrange(4)}", [rng.randbytes(50_000) for _ in range(3)]
    known.unsure.add(name)
    blob = server.container.get_blob_client(name)
    for number, part in enumerate(parts):
        blob.stage_block(str(number), part)
    blob.commit_block_list([BlobBlock(str(number)) for number in range(len(parts))])
    known.sure[name] = b"".join(parts)
    known.unsure.discard(name)


def append(server: Server, known: Known, rng: random.Random) -> None:
    name, part = f"d{rng.randrange(2)}", rng.randbytes(5000)
    blob = server.container.get_blob_client(name)
    known.unsure.add(name)
    if name not in known.sure:
        blob.create_append_blob()
        known.sure[name] = b""
    blob.append_block(part)
    known.sure[name] += part
    known.unsure.discard(name)


def delete(server: Server, known: Known, rng: random.Random) -> None:
    name = rng.choice(sorted(known.sure) or ["b0"])
    if name in known.sure:
        known.unsure.add(name)
        server.container.delete_blob(name)
        del known.sure[name]
        known.unsure.discard(name)


def rename(server: Server, known: Known, rng: random.Random) -> None:
    """A directory of two files moves; it must be in one place or the other, whole."""
    number = rng.randrange(10**9)
    first, second = f"from{number}", f"to{number}"
    for file in ("x/1", "2"):
        server.files.get_file_client(f"{first}/{file}").upload_data(file.encode(), overwrite=True)
    known.directories[first] = second
    server.files.get_directory_client(first).rename_directory(f"fs1/{second}")


STEPS = (put, put, blocks, append, delete, rename)


def work(server: Server, known: Known, rng: random.Random, after: int) -> None:
    """Works until the server is killed, at a random moment after some steps."""
    killer = threading.Timer(rng.random() * 0.05, server.process.kill)
    try:
        for number in range(10**6):
            if number == after:
                killer.start()
            rng.choice(STEPS)(server, known, rng)
    except AzureError:
        server.process.wait(30)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_acknowledged_is_lost(tmp_path: Path, seed: int) -> None:
    killed_at_random(tmp_path, seed)


def killed_at_random(tmp_path: Path, seed: int) -> int:
    """Works until killed, starts again and compares; the number of blobs and folders that were acknowledged."""
    rng, known = random.Random(seed), Known()
    with served(tmp_path) as server:
        server.container.create_container()
        server.files.create_file_system()
        work(server, known, rng, after=rng.randrange(30))
    with served(tmp_path) as server:
        for name, content in known.sure.items():
            if name not in known.unsure:
                assert server.container.download_blob(name).readall() == content, name
        for name in server.container.list_blob_names():
            found = server.container.download_blob(name).readall()  # whole, whichever version it is
            assert name in known.unsure or found == known.sure[name]
        for first, second in known.directories.items():
            places = [
                sorted(one.name.removeprefix(place) for one in server.files.get_paths(place))
                for place in (first, second)
                if server.files.get_directory_client(place).exists()
            ]
            assert places == [["/2", "/x", "/x/1"]]
    cloud = open_cloud(tmp_path, {})
    try:
        assert {path.name for path in (tmp_path / "blobs").iterdir()} == all_files(cloud)
    finally:
        cloud.store.close()
    return len(known.sure) + len(known.directories)


def test_what_a_killed_sandbox_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        server.container.create_container()
        server.container.upload_blob("a", b"1")
        server.container.get_blob_client("b").stage_block("1", b"waiting")
    for name in ("half.part", "0123456789abcdef"):
        (tmp_path / "blobs" / name).write_bytes(b"left")
    with served(tmp_path) as server:
        assert len(list((tmp_path / "blobs").iterdir())) == 2
        server.container.get_blob_client("b").commit_block_list([BlobBlock("1")])
        assert server.container.download_blob("b").readall() == b"waiting"
