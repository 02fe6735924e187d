"""What the policy pack costs a preview, beside the same preview without it.

`python benchmarks/policies.py [--write]`: a program of teams with workspace, storage, cluster and role assignment is
previewed by the embedded engine with a provider in the same process, with the pack and without, in turn. The same
with one team tells what the start of the pack's process costs; the rest is what a resource costs. The quickest counts.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it knows only its own folder

from benchmarks.engine_preview import Provider
from benchmarks.report import write
from sandbox.engine import main as engine
from sandbox.engine.state.secrets import Secrets

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 2.0
"""Milliseconds a resource that the pack may cost after its start."""
TEAM, RESOURCES, ROUNDS = 5, 500, 5

PROGRAM = """
import os
import pulumi
from pulumi_azure_native import authorization, machinelearningservices as ml, resources, storage

def drop(args):
    args.opts.aliases = None
    return pulumi.ResourceTransformationResult(args.props, args.opts)

pulumi.runtime.register_stack_transformation(drop)
tags = {"department": "bench", "team": "bench", "environment": "dev", "owner": "me"}
for n in range(int(os.environ["BENCH_TEAMS"])):
    common = {"resource_group_name": f"rg{n}-dev", "location": "eastus2", "tags": tags}
    resources.ResourceGroup(f"group{n}", **common)
    account = storage.StorageAccount(
        f"account{n}", account_name=f"acc{n}", kind="StorageV2", sku=storage.SkuArgs(name="Standard_LRS"),
        minimum_tls_version="TLS1_2", allow_blob_public_access=False, allow_shared_key_access=False, **common,
    )
    ml.Workspace(
        f"workspace{n}", workspace_name=f"workspace{n}", storage_account=account.id, public_network_access="Disabled",
        identity=ml.ManagedServiceIdentityArgs(type="SystemAssigned"), system_datastores_auth_mode="identity", **common,
    )
    scale = ml.ScaleSettingsArgs(max_node_count=1, min_node_count=0, node_idle_time_before_scale_down="PT120S")
    nodes = ml.AmlComputePropertiesArgs(
        vm_size="STANDARD_DS3_V2", scale_settings=scale, remote_login_port_public_access="Disabled"
    )
    ml.Compute(
        f"cluster{n}", compute_name=f"cluster{n}", workspace_name=f"workspace{n}", **common,
        properties=ml.AmlComputeArgs(compute_type="AmlCompute", disable_local_auth=True, properties=nodes),
    )
    authorization.RoleAssignment(
        f"role{n}", scope=account.id, principal_id="p", principal_type="User", role_assignment_name=f"a{n}",
        role_definition_id="/providers/Microsoft.Authorization/roleDefinitions/2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    )
"""


ADVISORY = {
    rule: {**entry, "enforcementLevel": "advisory"}
    for rule, entry in json.loads((ROOT / "policies" / "merged" / "prod.json").read_text()).items()
}
"""Every rule on."""


def preview(teams: int, *, with_pack: bool) -> tuple[float, float]:
    """Seconds of a preview, and of processor time in it: the engine's, the program's and the pack's."""
    os.environ["BENCH_TEAMS"] = str(teams)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        (project / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
        (project / "Pulumi.dev.yaml").write_text(f"encryptionsalt: {os.environ['BENCH_SALT']}\n")
        (project / "__main__.py").write_text(PROGRAM)
        (project / "advisory.json").write_text(json.dumps(ADVISORY))
        os.environ |= {"PULUMI_BACKEND_URL": f"file://{folder}/state", "PULUMI_HOME": folder}
        pack = ["--policy-pack", str(ROOT / "policies"), "--policy-pack-config", str(project / "advisory.json")]
        words = ["preview", "-s", "dev", "--cwd", folder, *(pack if with_pack else [])]
        begun, worked = time.perf_counter(), sum(os.times()[:4])
        with contextlib.redirect_stdout(io.StringIO()):
            code = engine(words, {"azure-native": Provider})
        assert code == 0
        return time.perf_counter() - begun, sum(os.times()[:4]) - worked


def main() -> int:
    """Measure and print a table; exit code 1 if a resource costs more than the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/policies.md")
    options = parser.parse_args()
    os.environ["PULUMI_CONFIG_PASSPHRASE"] = "x"
    os.environ["BENCH_SALT"] = Secrets().salt
    best: dict[tuple[int, bool], float] = {}
    work: dict[tuple[int, bool], float] = {}
    preview(1, with_pack=True)  # imports
    for _ in range(ROUNDS):
        for teams in (1, RESOURCES // TEAM):
            for with_pack in (False, True):
                seconds, worked = preview(teams, with_pack=with_pack)
                best[teams, with_pack] = min(best.get((teams, with_pack), 1e9), seconds)
                work[teams, with_pack] = min(work.get((teams, with_pack), 1e9), worked)
    start = best[1, True] - best[1, False]
    more = best[RESOURCES // TEAM, True] - best[RESOURCES // TEAM, False] - start
    each = more / (RESOURCES - TEAM) * 1000
    most = RESOURCES // TEAM
    busy = (work[most, True] - work[most, False] - work[1, True] + work[1, False]) / (RESOURCES - TEAM) * 1000
    lines = [
        "| resources | without the pack, seconds | with it | × |",
        "|---|---|---|---|",
        *(
            f"| {teams * TEAM} | {best[teams, False]:.2f} | {best[teams, True]:.2f} | "
            f"{best[teams, True] / best[teams, False]:.2f} |"
            for teams in (1, RESOURCES // TEAM)
        ),
        "",
        f"The pack's process takes {start:.2f} s to start. Then a resource costs {each:.2f} ms, {LIMIT:g} are allowed.",
        f"In processor time, which other load hardly changes, it costs {busy:.2f} ms. "
        f"Load of the machine meanwhile: {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores.",
    ]
    print("\n".join(lines))
    if options.write:
        text = (
            "A program of azure-native classes under the embedded engine, with a provider in the same process that\n"
            "answers at once, with the pack and without. All rules are advisory, so each one tells what it finds.\n"
            f"Quickest of {ROUNDS} rounds in turn. Again: `python benchmarks/policies.py --write`."
        )
        write("policies", "The policy pack", text, lines)
    return 0 if each <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
