"""What the embedded engine costs above Pulumi's SDK alone: preview, up, second up and destroy, in process.

`python -m benchmarks.engine_preview [--resources N] [--rounds R] [--azure-native]`: a program of components with four
resources each is run by the engine with a stand-in provider in the same process, and by the SDK alone with its own
mock monitor; the difference, in milliseconds a resource, is what engine and provider cost. Rounds alternate, and the
quickest of each counts, so that another load on the machine is not measured.
"""

import argparse
import asyncio
import contextlib
import contextvars
import io
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks, run_in_stack, settings

from sandbox.engine import main as engine
from sandbox.engine.secrets import Secrets

TRACES = Path(__file__).parent.parent / "tests" / "engine" / "traces"

THINGS = '''
import os, sys
sys.path.insert(0, os.environ["BENCH_SDK"])
import pulumi
from pulumi_trace import Component, ResourceOptions, Thing

for n in range(int(os.environ["BENCH_COMPONENTS"])):
    team = Component(f"team{n}")
    under = ResourceOptions(parent=team)
    a = Thing(f"group{n}", under, location="eastus2", tags={"team": str(n), "cost": "x"})
    b = Thing(f"account{n}", under, group=a.serial, sku={"name": "Standard_LRS"}, hns=True)
    c = Thing(f"vault{n}", under, group=a.serial, rbac=True)
    Thing(f"workspace{n}", under, group=a.serial, storage=b.serial, vault=c.serial, size=os.environ.get("BENCH_SIZE", "1"))
    team.register_outputs({"group": a.serial})
'''

AZURE = '''
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
    storage.BlobContainer(f"fs{n}", resource_group_name=group.name, account_name=account.name, container_name="fs1", opts=under)
    authorization.RoleAssignment(
        f"role{n}", scope=account.id, principal_id="p", principal_type="User", role_definition_id="r", role_assignment_name=f"a{n}", opts=under
    )
'''


class Provider:
    """Answers as a provider does that keeps nothing: inputs come back as outputs, with the names that azure-native adds."""

    def __new__(cls) -> Any:
        """Make the servicer (its base is a generated class without types)."""
        sys.path.insert(0, str(TRACES))
        import provider  # noqa: PLC0415 (the tests' provider, which needs its folder on the path)

        class Quiet(provider.Provider):  # type: ignore[misc, name-defined]
            """The tests' provider without its log of calls."""

        for name in "CheckConfig DiffConfig Configure Check Diff Create Update Delete Read Invoke".split():
            logged = getattr(provider.Provider, name)
            setattr(Quiet, name, logged.__closure__[[v for v in logged.__code__.co_freevars].index("call")].cell_contents)
        return Quiet(Memory())


class Memory:
    """The tests' provider's files, kept in memory."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def load(self, _name: str) -> dict[str, Any]:
        """Nothing in the world differs from the state."""
        return {}

    def count(self, urn: str) -> int:
        """The number of creates of a URN."""
        self._counts[urn] = self._counts.get(urn, 0) + 1
        return self._counts[urn]


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
    import runpy  # noqa: PLC0415

    def run() -> None:
        settings.ROOT.set(None)
        monitor = mocks.MockMonitor(Mocks())
        settings.configure(settings.Settings("bench", "dev", monitor=monitor, engine=mocks.MockEngine(None), dry_run=True))
        loop = asyncio.new_event_loop()
        loop.set_default_executor(ThreadPoolExecutor(8))
        asyncio.set_event_loop(loop)
        loop.run_until_complete(run_in_stack(lambda: runpy.run_path(str(program), run_name="__main__") and None))
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
    os.environ |= {"BENCH_SDK": str(TRACES), "BENCH_COMPONENTS": str(components), "PULUMI_CONFIG_PASSPHRASE": "x"}
    salt = Secrets().salt  # the key is derived once, outside of what is measured
    best: dict[str, float] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            project = Path(folder)
            (project / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
            (project / "Pulumi.dev.yaml").write_text(f"encryptionsalt: {salt}\n")
            (project / "__main__.py").write_text(program_text)
            os.environ |= {"PULUMI_BACKEND_URL": f"file://{folder}/state", "PULUMI_HOME": folder, "BENCH_SIZE": "1"}

            def pulumi_command(*words: str) -> None:
                code = engine([*words, "-s", "dev", "--cwd", str(project), "--yes"], {package: Provider})
                assert code == 0, words

            steps: dict[str, Callable[[], Any]] = {
                "sdk alone": lambda: sdk_alone(project),
                "preview": lambda: pulumi_command("preview"),
                "up": lambda: pulumi_command("up", "--skip-preview"),
                "second up": lambda: pulumi_command("up", "--skip-preview"),
                "second preview": lambda: pulumi_command("preview"),
                "refresh": lambda: pulumi_command("refresh", "--skip-preview"),
                "destroy": lambda: pulumi_command("destroy", "--skip-preview"),
            }
            for name, step in steps.items():
                best[name] = min(best.get(name, 1e9), timed(step))
    return best


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resources", type=int, nargs="+", default=[501])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--azure-native", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = {}
    for wanted in args.resources:
        components = max(wanted // 5, 1)
        count = components * 5 + 1
        text, package = (AZURE, "azure-native") if args.azure_native else (THINGS, "trace")
        best = measure(components, args.rounds, text, package)
        alone = best["sdk alone"]
        found[count] = {k: {"seconds": round(v, 3), "times": round(v / alone, 2), "msAbove": round((v - alone) / count * 1e3, 3)} for k, v in best.items()}
        if not args.json:
            print(f"{count} resources, best of {args.rounds}, peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
            for name, row in found[count].items():
                print(f"  {name:15} {row['seconds']:8.3f} s   {row['times']:5.2f} x SDK alone   {row['msAbove']:+7.3f} ms a resource above it")
    if args.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
