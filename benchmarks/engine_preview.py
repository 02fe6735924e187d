"""What the embedded engine costs above Pulumi's SDK alone: preview, up, second up and destroy, in process.

`python benchmarks/engine_preview.py [--write]`: a program of components with four resources each is run by the engine
with a stand-in provider in the same process, and by the SDK alone with its own mock monitor; the difference, in
milliseconds a resource, is what engine and provider cost. Rounds alternate, and the quickest of each counts, so that
another load on the machine is not measured. Each program has a process of its own, so that its memory is its own.
`--write` puts the result into docs/benchmarks/engine.md.
"""
# ruff: noqa: N802 (the provider's methods have gRPC's names)

import argparse
import asyncio
import contextlib
import contextvars
import gc
import io
import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime import mocks, proto, run_in_stack, settings
from pulumi.runtime.proto import provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it knows only its own folder

from benchmarks.report import peak_memory, write
from sandbox.engine import main as engine
from sandbox.engine.state.secrets import Secrets
from sandbox.process import COLLECT_EVERY

LIMIT = 2.0
"""Milliseconds a resource that a preview may cost above the SDK alone."""
PROGRAMS = (("azure-native", 501, 3), ("bench", 501, 3), ("bench", 5001, 1))
"""Package, resources, rounds."""

THINGS = """
import os
import pulumi
from pulumi import ResourceOptions

class Thing(pulumi.CustomResource):
    def __init__(self, name, opts, /, **inputs):
        options = ResourceOptions.merge(opts, ResourceOptions(version="1.0.0"))
        super().__init__("bench:index:Thing", name, {**inputs, "serial": None}, options)

class Team(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("bench:index:Team", name)

for n in range(int(os.environ["BENCH_COMPONENTS"])):
    team = Team(f"team{n}")
    under = ResourceOptions(parent=team)
    a = Thing(f"group{n}", under, location="eastus2", tags={"team": str(n), "cost": "x"})
    b = Thing(f"account{n}", under, group=a.serial, sku={"name": "Standard_LRS"}, hns=True)
    c = Thing(f"vault{n}", under, group=a.serial, rbac=True)
    Thing(f"workspace{n}", under, group=a.serial, storage=b.serial, vault=c.serial)
    team.register_outputs({"group": a.serial})
"""

AZURE = """
import os
import pulumi
from pulumi import ResourceOptions
from pulumi_azure_native import authorization, resources, storage

def drop(args):
    args.opts.aliases = None
    return pulumi.ResourceTransformationResult(args.props, args.opts)

pulumi.runtime.register_stack_transformation(drop)

class Team(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("bench:index:Team", name)

for n in range(int(os.environ["BENCH_COMPONENTS"])):
    team = Team(f"team{n}")
    under = ResourceOptions(parent=team)
    group = resources.ResourceGroup(f"group{n}", resource_group_name=f"rg{n}", location="eastus2", opts=under)
    account = storage.StorageAccount(
        f"account{n}", resource_group_name=group.name, account_name=f"acc{n}", kind="StorageV2", opts=under,
        sku=storage.SkuArgs(name="Standard_LRS"), is_hns_enabled=True,
    )
    storage.BlobContainer(
        f"fs{n}", resource_group_name=group.name, account_name=account.name, container_name="fs1", opts=under
    )
    authorization.RoleAssignment(
        f"role{n}", scope=account.id, principal_id="p", principal_type="User", role_definition_id="r",
        role_assignment_name=f"a{n}", opts=under,
    )
"""


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Answers as a provider does that keeps nothing: inputs come back as outputs, with a name and a serial number."""

    def Handshake(self, _request: Any, _context: Any) -> Any:
        """See Pulumi's provider protocol, as for the other methods."""
        return proto.ProviderHandshakeResponse(accept_secrets=True)

    def CheckConfig(self, request: Any, _context: Any) -> Any:
        """Take any configuration."""
        return proto.CheckResponse(inputs=request.news)

    def DiffConfig(self, _request: Any, _context: Any) -> Any:
        """No configuration matters."""
        return proto.DiffResponse(changes=proto.DiffResponse.DIFF_NONE)

    def Configure(self, _request: Any, _context: Any) -> Any:
        """Ready."""
        return proto.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, _context: Any) -> Any:
        """Take any inputs."""
        return proto.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, _context: Any) -> Any:
        """Compare as a whole."""
        some = request.old_inputs != request.news
        return proto.DiffResponse(changes=proto.DiffResponse.DIFF_SOME if some else proto.DiffResponse.DIFF_NONE)

    def Create(self, request: Any, _context: Any) -> Any:
        """Give back what was asked for."""
        reply = proto.CreateResponse(id="" if request.preview else f"/{request.name}", properties=request.properties)
        reply.properties["name"] = request.name
        reply.properties["serial"] = UNKNOWN if request.preview else f"serial-{request.name}"
        return reply

    def Read(self, request: Any, _context: Any) -> Any:
        """All is as the state has it."""
        return proto.ReadResponse(id=request.id, inputs=request.inputs, properties=request.properties)

    def Delete(self, _request: Any, _context: Any) -> Any:
        """Gone."""
        return empty_pb2.Empty()


class Mocks(mocks.Mocks):
    """The SDK's own mocks: inputs come back."""

    def call(self, _args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        """Nothing calls a function."""
        return {}, None

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """A resource as asked for."""
        return f"{args.name}-id", {**args.inputs, "name": args.name, "serial": "s"}


def sdk_alone(program: Path) -> None:
    """Run the program with the SDK's mock monitor."""

    def source() -> None:
        runpy.run_path(str(program), run_name="__main__")

    def run() -> None:
        settings.ROOT.set(None)
        monitor = mocks.MockMonitor(Mocks())
        settings.configure(
            settings.Settings("bench", "dev", monitor=monitor, engine=mocks.MockEngine(None), dry_run=True)
        )
        loop = asyncio.new_event_loop()
        loop.set_default_executor(ThreadPoolExecutor(8))
        asyncio.set_event_loop(loop)
        loop.run_until_complete(run_in_stack(source))
        loop.close()

    contextvars.Context().run(run)


def timed(run: Callable[[], Any]) -> float:
    """How long something takes, in seconds."""
    begun = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        run()
    return time.perf_counter() - begun


def measure(components: int, rounds: int, program_text: str, package: str) -> dict[str, float]:
    """Seconds of the SDK alone and of each operation, the quickest of `rounds`."""
    os.environ |= {"BENCH_COMPONENTS": str(components), "PULUMI_CONFIG_PASSPHRASE": "x"}
    salt = Secrets().salt  # the key is derived once, outside of what is measured
    best: dict[str, float] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            project = Path(folder)
            (project / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
            (project / "Pulumi.dev.yaml").write_text(f"encryptionsalt: {salt}\n")
            (project / "__main__.py").write_text(program_text)
            os.environ |= {"PULUMI_BACKEND_URL": f"file://{folder}/state", "PULUMI_HOME": folder}
            for name, step in one_round(project, package).items():
                best[name] = min(best.get(name, 1e9), timed(step))
    return best


def one_round(project: Path, package: str) -> dict[str, Callable[[], None]]:
    """What is measured, in order."""

    def command(*words: str) -> Callable[[], None]:
        def run() -> None:
            code = engine([*words, "-s", "dev", "--cwd", str(project), "--yes"], {package: Provider})
            assert code == 0, words

        return run

    return {
        "sdk alone": lambda: sdk_alone(project),
        "preview": command("preview"),
        "up": command("up", "--skip-preview"),
        "second up": command("up", "--skip-preview"),
        "second preview": command("preview"),
        "refresh": command("refresh", "--skip-preview"),
        "destroy": command("destroy", "--skip-preview"),
    }


def main() -> int:
    """Measure and print a table; exit code 1 if a preview costs more than the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", nargs=3, metavar=("PACKAGE", "RESOURCES", "ROUNDS"), help="one program, as JSON")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/engine.md")
    options = parser.parse_args()
    if options.one:
        package, count, rounds = options.one
        print(json.dumps(one(package, int(count), int(rounds))))
        return 0
    lines = [
        "| program | resources | operation | seconds | × SDK alone | ms a resource above it |",
        "|---|---|---|---|---|---|",
    ]
    memory = ["| program | resources | memory above the imports, MB | KB a resource |", "|---|---|---|---|"]
    worst = 0.0
    for program in PROGRAMS:
        words = [str(word) for word in program]
        done = subprocess.run([sys.executable, __file__, "--one", *words], stdout=subprocess.PIPE, check=True)
        found = json.loads(done.stdout)
        count, alone = found["resources"], found["seconds"]["sdk alone"]
        name = f"`{program[0]}` classes"
        for operation, seconds in found["seconds"].items():
            above = (seconds - alone) / count * 1000
            lines.append(
                f"| {name} | {count} | {operation} | {seconds:.2f} | {seconds / alone:.2f} | "
                f"{'' if operation == 'sdk alone' else f'{above:.2f}'} |"
            )
            worst = max(worst, above if operation == "preview" else 0)
        memory.append(f"| {name} | {count} | {found['memory']:.0f} | {found['memory'] / count * 1024:.1f} |")
    lines += ["", f"A preview may cost {LIMIT:g} ms a resource above the SDK alone; the most here is {worst:.2f}.", ""]
    lines += memory
    print("\n".join(lines))
    if options.write:
        text = (
            "Programs of components with four resources each. They run under the embedded engine, with a provider in\n"
            "the same process that answers at once, and under the SDK alone with its own mock monitor. In both,\n"
            "aliases of versions are dropped and the garbage collector is set as the engine does. Quickest of 3\n"
            "rounds in turn; one round of the largest. Again: `python benchmarks/engine_preview.py --write`."
        )
        write("engine", "The embedded engine", text, lines)
    return 0 if worst <= LIMIT else 1


def one(package: str, count: int, rounds: int) -> dict[str, Any]:
    """One program's measures: seconds by operation, and the memory that it took above the imports, in MB."""
    components = count // 5
    text = AZURE if package == "azure-native" else THINGS
    measure(1, 1, text, package)  # imports
    gc.set_threshold(COLLECT_EVERY)  # as the engine's process does: the SDK alone gains from it as much
    before = peak_memory()
    seconds = measure(components, rounds, text, package)
    return {"resources": components * 5 + 1, "seconds": seconds, "memory": peak_memory() - before}


if __name__ == "__main__":
    sys.exit(main())
