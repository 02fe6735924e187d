"""Jobs of several processes and nodes: each rank knows its place and meets the others over TCP; they end together."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Environment

from tests.azure.client import Client, error, unique
from tests.azure.ml import harness
from tests.azure.ml.harness import Team, cluster, command_job
from tests.azure.ml.waiting import details, ended, status, until
from tests.conftest import ROOT, Sandbox
from tests.faults.sweep import plan, struck

MEET = """
import json, os, socket, sys, time
rank, size = int(os.environ[sys.argv[1]]), int(os.environ[sys.argv[2]])
at = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
if rank == 0:
    server = socket.create_server(at)
    met = [0]
    while len(met) < size:
        peer, _ = server.accept()
        met.append(int(peer.recv(100)))
        peer.sendall(b"welcome")
    print("met", sorted(met), flush=True)
else:
    while True:
        try:
            peer = socket.create_connection(at)
            break
        except OSError:
            time.sleep(0.05)
    peer.sendall(str(rank).encode())
    print(peer.recv(100).decode(), "rank", rank, flush=True)
names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "NODE_RANK", "AZUREML_NODE_COUNT", "AZUREML_CR_NODE_RANK",
         "AZUREML_PROCESS_NAME", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
         "OMPI_COMM_WORLD_LOCAL_SIZE", "AZ_BATCH_HOST_LIST")
print(json.dumps({name: os.environ.get(name) for name in names} | {"folder": os.getcwd()}))
open(f"outputs/from-{rank}.txt", "w").write(str(rank))
"""
Submit = Callable[..., str]
WITH_MPI = ROOT / "tests" / "azure" / "ml" / "environments" / "soak" / "mpi.yml"


@pytest.fixture(scope="module")
def pair(team: Team) -> str:
    """A cluster of two nodes."""
    assert team.arm("PUT", "/computes/pair", cluster(team.needs, most=2)).status_code in (200, 201)
    return f"{team.id}/computes/pair"


def put(
    team: Team, compute: str, script: str, distribution: Any, *, nodes: int = 1, arguments: str = "", **more: Any
) -> Any:
    properties = command_job(
        team,
        f"python - {arguments} <<'END'\n{dedent(script)}\nEND",
        computeId=compute,
        distribution=distribution,
        resources={"instanceCount": nodes},
        **more,
    )
    return team.arm("PUT", f"/jobs/{unique('job')}", {"properties": properties})


@pytest.fixture
def submit(team: Team, pair: str) -> Submit:
    def make(script: str, distribution: Any, nodes: int = 1, arguments: str = "") -> str:
        made = put(team, pair, script, distribution, nodes=nodes, arguments=arguments)
        assert made.status_code == 201, made.text
        return str(made.json()["name"])

    return make


def logs(team: Team, name: str) -> dict[str, str]:
    files = details(team, name)["logFiles"]
    return {file.rsplit("/", 1)[1]: team.azure.session.get(url).text for file, url in files.items()}


def told(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads([line for line in text.splitlines() if line.startswith("{")][-1])
    return found


def test_pytorch_on_two_nodes(team: Team, submit: Submit) -> None:
    distribution = {"distributionType": "PyTorch", "processCountPerInstance": 2}
    job = submit(MEET, distribution, 2, "RANK WORLD_SIZE")
    assert ended(team, job) == "Completed", details(team, job)["error"]
    texts = logs(team, job)
    assert sorted(texts) == [f"std_log_process_{rank}.txt" for rank in range(4)]
    assert "met [0, 1, 2, 3]" in texts["std_log_process_0.txt"]
    assert "welcome rank 3" in texts["std_log_process_3.txt"]
    seen = [told(texts[f"std_log_process_{rank}.txt"]) for rank in range(4)]
    assert [(one["RANK"], one["LOCAL_RANK"], one["NODE_RANK"]) for one in seen] == [
        ("0", "0", "0"),
        ("1", "1", "0"),
        ("2", "0", "1"),
        ("3", "1", "1"),
    ]
    assert {one["WORLD_SIZE"] for one in seen} == {"4"} and {one["AZUREML_NODE_COUNT"] for one in seen} == {"2"}
    assert [one["AZUREML_PROCESS_NAME"] for one in seen] == [f"rank_{rank}" for rank in range(4)]
    assert seen[0]["folder"] == seen[1]["folder"] != seen[2]["folder"]  # a node has its own files
    artifacts = team.plane("GET", "artifact/v2.0", f"/artifacts/ExperimentRun/dcid.{job}").json()["value"]
    assert {f"outputs/from-{rank}.txt" for rank in range(4)} <= {one["path"] for one in artifacts}


def test_one_process_of_pytorch_has_all_variables(team: Team, submit: Submit) -> None:
    job = submit(MEET, {"distributionType": "PyTorch"}, 1, "RANK WORLD_SIZE")
    assert ended(team, job) == "Completed", details(team, job)["error"]
    (text,) = logs(team, job).values()
    assert told(text)["WORLD_SIZE"] == "1" and told(text)["LOCAL_RANK"] == "0"


def test_mpi(team: Team, submit: Submit) -> None:
    distribution = {"distributionType": "Mpi", "processCountPerInstance": 1}
    job = submit(MEET, distribution, 2, "OMPI_COMM_WORLD_RANK OMPI_COMM_WORLD_SIZE")
    assert ended(team, job) == "Completed", details(team, job)["error"]
    texts = logs(team, job)
    without = shutil.which("mpirun") is None
    assert ("mpirun is not there" in texts["std_log_process_0.txt"]) == without
    assert "met [0, 1]" in texts["std_log_process_0.txt"]
    last = told(texts["std_log_process_1.txt"])
    assert (last["OMPI_COMM_WORLD_LOCAL_RANK"], last["OMPI_COMM_WORLD_LOCAL_SIZE"]) == ("0", "1")
    assert last["AZ_BATCH_HOST_LIST"] == "127.0.0.1,127.0.0.1"


def test_tensorflow(team: Team, submit: Submit) -> None:
    script = "import os; print(os.environ['TF_CONFIG'])"
    distribution = {"distributionType": "TensorFlow", "workerCount": 2, "parameterServerCount": 1}
    job = submit(script, distribution, 2)
    assert ended(team, job) == "Completed", details(team, job)["error"]
    seen = [told(text) for _, text in sorted(logs(team, job).items())]
    assert [one["task"] for one in seen] == [
        {"type": "worker", "index": 0},
        {"type": "worker", "index": 1},
        {"type": "ps", "index": 0},
    ]
    assert {kind: len(hosts) for kind, hosts in seen[0]["cluster"].items()} == {"worker": 2, "ps": 1}
    assert seen[0]["cluster"] == seen[2]["cluster"]


def test_one_rank_fails_and_the_others_end_with_it(team: Team, submit: Submit) -> None:
    script = """
    import os, sys, time
    print("pid", os.getpid(), flush=True)
    time.sleep(0.3)
    sys.exit("rank two gives up") if os.environ["RANK"] == "2" else time.sleep(600)
    """
    job = submit(script, {"distributionType": "PyTorch", "processCountPerInstance": 3})
    assert ended(team, job) == "Failed"
    message = details(team, job)["error"]["error"]["message"]
    assert "rank two gives up" in message and "user_logs/std_log_process_2.txt" in message
    for text in logs(team, job).values():
        pid = next(line.split()[1] for line in text.splitlines() if line.startswith("pid"))
        assert not Path(f"/proc/{pid}").exists()


def test_cancel_ends_all_ranks(team: Team, submit: Submit) -> None:
    script = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(600)"
    job = submit(script, {"distributionType": "PyTorch", "processCountPerInstance": 2}, 2)

    def pids() -> list[str]:
        lines = [line for text in logs(team, job).values() for line in text.splitlines()]
        return [line.split()[1] for line in lines if line.startswith("pid")]

    until(lambda: len(pids()) == 4, "all ranks", team.azure.sandbox.log)
    nodes = team.arm("POST", "/computes/pair/listNodes").json()["nodes"]
    assert [(one["nodeState"], one["runId"]) for one in nodes] == [("running", job)] * 2
    found = pids()
    assert team.arm("POST", f"/jobs/{job}/cancel").status_code in (200, 202)
    assert ended(team, job) == "Canceled"
    assert not [pid for pid in found if Path(f"/proc/{pid}").exists()]


def test_a_job_of_two_nodes_waits_for_both_and_is_not_overtaken(team: Team, submit: Submit, tmp_path: Path) -> None:
    wait = "import os, time\nwhile not os.path.exists({!r}): time.sleep(0.05)"
    first = submit(wait.format(str(tmp_path / "first")), None)
    until(lambda: status(team, first) == "Running", "the first job")
    both = submit("print('both')", {"distributionType": "PyTorch"}, 2)
    late = submit("print('late')", None)
    assert [status(team, one) for one in (both, late)] == ["Queued", "Queued"]  # though a node is free
    (tmp_path / "first").touch()
    assert [ended(team, one) for one in (first, both, late)] == ["Completed"] * 3
    begun = [details(team, one)["startTimeUtc"] for one in (both, late)]
    assert begun == sorted(begun)


@pytest.mark.parametrize(
    ("distribution", "nodes", "target"),
    [
        ({"distributionType": "Ray"}, 1, "distribution.distributionType"),
        ({"distributionType": "PyTorch", "processCountPerInstance": 0}, 1, "distribution.processCountPerInstance"),
        ({"distributionType": "TensorFlow", "workerCount": "2"}, 1, "distribution.workerCount"),
        (None, 3, "resources.instanceCount"),
        (None, -1, "resources.instanceCount"),
        (None, True, "resources.instanceCount"),
    ],
    ids=str,
)
def test_what_is_refused(team: Team, pair: str, distribution: Any, nodes: Any, target: str) -> None:
    refused = put(team, pair, "", distribution, nodes=nodes)
    assert error(refused) == (400, "UserError")
    assert refused.json()["error"]["target"] == f"properties.{target}"


def test_a_lost_node_ends_all_ranks_and_they_begin_again(sandbox: Sandbox) -> None:
    team = harness.team(Client(sandbox))
    team.arm("PUT", "/computes/pair", cluster(team.needs, most=2))
    plan(sandbox, 1, "preemption,count=1,seconds=0.5")
    script = """
    import os, time
    again = os.listdir("outputs")
    open("outputs/" + os.environ["RANK"], "w").close()
    print("pid", os.getpid(), "again" if again else "", flush=True)
    None if again else time.sleep(600)
    """
    distribution = {"distributionType": "PyTorch"}
    job = put(team, f"{team.id}/computes/pair", script, distribution, nodes=2).json()["name"]
    assert ended(team, job) == "Completed"
    assert struck(sandbox) == ["preemption"]
    assert all("again" in text for text in logs(team, job).values())


MPI_SUM = """
from mpi4py import MPI
import os
world = MPI.COMM_WORLD
print("sum", world.allreduce(world.Get_rank() + 1), "of", world.Get_size(), os.environ["NODE_RANK"], flush=True)
world.Get_rank() == int(os.environ.get("FAILS", -1)) and os._exit(3)
world.barrier()
"""


@pytest.fixture
def with_mpi(ml: MLClient) -> str:
    """The id of an environment with MPI."""
    made = ml.environments.create_or_update(Environment(name="mpi", image="python:3.11", conda_file=str(WITH_MPI)))
    return str(made.id)


@pytest.mark.soak
def test_mpirun_starts_all_ranks_where_it_is_there(team: Team, pair: str, with_mpi: str) -> None:
    distribution = {"distributionType": "Mpi", "processCountPerInstance": 2}
    job = put(team, pair, MPI_SUM, distribution, nodes=2, environmentId=with_mpi).json()["name"]
    assert ended(team, job) == "Completed", details(team, job)["error"]
    texts = logs(team, job)
    for rank in range(4):
        assert f"sum 10 of 4 {rank // 2}" in texts[f"std_log_process_{rank}.txt"]
    assert "mpirun is not there" not in texts["std_log_process_0.txt"]
    given: dict[str, Any] = {"environmentId": with_mpi, "environmentVariables": {"FAILS": "1"}}
    job = put(team, pair, MPI_SUM, distribution, nodes=2, **given).json()["name"]
    assert ended(team, job) == "Failed"
    assert "exited with status code" in details(team, job)["error"]["error"]["message"]
