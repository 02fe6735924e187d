"""The processes of a distributed job: how many there are, on which nodes, and the variables that each one sees.

Source: learn.microsoft.com/azure/machine-learning/how-to-train-distributed-gpu (variables), its page for version 1
(AZ_BATCH_*, TF_CONFIG); azureml-examples' deepspeed script reads AZUREML_PROCESS_NAME. All nodes are this machine, so
that ports are free ones where the page has 6105 and 2222.
"""

import json
import socket
from dataclasses import dataclass
from typing import Any

from sandbox.azure.arm.core import Body

HOST = "127.0.0.1"
PYTORCH, MPI, TENSORFLOW = "PyTorch", "Mpi", "TensorFlow"
SINGLE_LOG = "user_logs/std_log.txt"


@dataclass(frozen=True)
class Rank:
    """One process of a job.

    Attributes:
        number: Its rank among all.
        node: The rank of its node.
        local: Its rank on the node.
        log: Its log among the run's artifacts.
        variables: What it sees beside what all processes of the job see.
    """

    number: int
    node: int
    local: int
    log: str
    variables: dict[str, str]


def process_count(distribution: Body | None, nodes: int) -> int:
    """How many processes a job has on its nodes: one on the first where no distribution is given."""
    kind = (distribution or {}).get("distributionType")
    if kind == TENSORFLOW:
        workers = (distribution or {}).get("workerCount") or nodes
        return int(workers) + int((distribution or {}).get("parameterServerCount") or 0)
    return nodes * per_node(distribution) if kind else 1


def per_node(distribution: Body | None) -> int:
    """Processes of a node; one where the distribution does not say."""
    return int((distribution or {}).get("processCountPerInstance") or 1)


def ranks(distribution: Body | None, nodes: int) -> list[Rank]:
    """The processes of a job, in the order of their ranks."""
    kind, count = (distribution or {}).get("distributionType"), process_count(distribution, nodes)
    local_count = -(-count // nodes) if kind == TENSORFLOW else per_node(distribution)
    ports = _free_ports(count if kind == TENSORFLOW else 1) if kind else []
    width = len(str(count - 1))
    found = []
    for number in range(count):
        node, local = divmod(number, local_count)
        common = {
            "AZUREML_NODE_COUNT": str(nodes),
            "AZUREML_CR_NODE_RANK": str(node),
            "NODE_RANK": str(node),
            "AZUREML_PROCESS_NAME": f"rank_{number}" if kind else "main",
            "AZ_BATCH_HOST_LIST": ",".join([HOST] * nodes),
        }
        own: dict[str, Any] = {}
        if kind in (PYTORCH, MPI):
            own = {"MASTER_ADDR": HOST, "MASTER_PORT": ports[0], "AZ_BATCH_MASTER_NODE": f"{HOST}:{ports[0]}"}
        if kind == PYTORCH:
            own |= {"WORLD_SIZE": count, "RANK": number, "LOCAL_RANK": local}
        elif kind == MPI:
            own |= {
                "OMPI_COMM_WORLD_RANK": number,
                "OMPI_COMM_WORLD_SIZE": count,
                "OMPI_COMM_WORLD_LOCAL_RANK": local,
                "OMPI_COMM_WORLD_LOCAL_SIZE": local_count,
            }
        elif kind == TENSORFLOW:
            own = {"TF_CONFIG": _tf_config(distribution or {}, ports, number)}
        log = f"user_logs/std_log_process_{number:0{width}}.txt" if kind else SINGLE_LOG
        found.append(Rank(number, node, local, log, common | {name: str(value) for name, value in own.items()}))
    return found


def _tf_config(distribution: Body, ports: list[int], number: int) -> str:
    """The cluster and this task in it: workers first, then parameter servers."""
    servers = int(distribution.get("parameterServerCount") or 0)
    workers = len(ports) - servers
    cluster = {"worker": [f"{HOST}:{port}" for port in ports[:workers]]}
    if servers:
        cluster["ps"] = [f"{HOST}:{port}" for port in ports[workers:]]
    task = {"type": "worker", "index": number} if number < workers else {"type": "ps", "index": number - workers}
    return json.dumps({"cluster": cluster, "task": task, "environment": "cloud"})


def _free_ports(count: int) -> list[int]:
    """Ports that nobody has now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
