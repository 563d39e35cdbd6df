"""Trains on several nodes: it is started once on each, by torchrun or by SLURM.

    torchrun --nnodes 2 --nproc-per-node 1 --node-rank 0 --master-addr HOST --master-port 29500 \\
        scripts/train_on_nodes.py CONFIG -s RUN

    srun --ntasks-per-node 1 python scripts/train_on_nodes.py CONFIG -s RUN

The folder RUN must be the same on all nodes, on a shared file system. AllenNLP starts a process for
each device of a node. A run whose folder is there goes on from its last checkpoint, so that a job
that is started again needs nothing else. `scripts/slurm.sh` is a job for SLURM.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple

import _jsonnet
import torch


class Node(NamedTuple):
    """This node among all, and where the first one listens."""

    rank: int
    count: int
    address: str
    port: int


def node_of(environment: Mapping[str, str]) -> Node:
    """What the launcher says of this node.

    # Raises

    `ValueError` where there is no launcher, or where it starts several processes on a node.
    """
    if "TORCHELASTIC_RUN_ID" in environment:
        node = Node(
            int(environment["GROUP_RANK"]),
            int(environment["GROUP_WORLD_SIZE"]),
            environment["MASTER_ADDR"],
            int(environment["MASTER_PORT"]) + 1,  # torchrun listens on the port itself
        )
        processes = int(environment["WORLD_SIZE"])
    elif "SLURM_JOB_NODELIST" in environment:
        names = subprocess.run(
            ["scontrol", "show", "hostnames", environment["SLURM_JOB_NODELIST"]],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        node = Node(
            int(environment["SLURM_NODEID"]),
            int(environment["SLURM_JOB_NUM_NODES"]),
            names[0],
            # Jobs that share a node have ports of their own.
            20_000 + int(environment["SLURM_JOB_ID"]) % 20_000,
        )
        processes = int(environment["SLURM_NTASKS"])
    else:
        raise ValueError("Expected to be started by torchrun, or by srun in a job of SLURM.")
    if processes != node.count:
        raise ValueError(
            f"Expected one process on each of {node.count} nodes, got {processes}; AllenNLP itself "
            "starts one for each device (torchrun --nproc-per-node 1, srun --ntasks-per-node 1)."
        )
    return node


def devices_here() -> List[int]:
    """All GPUs of this node, or the CPU."""
    return list(range(torch.cuda.device_count())) or [-1]


def command_of(
    node: Node, config: str, folder: str, overrides: Dict[str, object], devices: List[int]
) -> List[str]:
    """AllenNLP's command for this node."""
    distributed = {
        "cuda_devices": devices,
        "num_nodes": node.count,
        "primary_address": node.address,
        "primary_port": node.port,
    }
    command = [sys.executable, "-m", "allennlp", "train", config, "-s", folder]
    command += ["--node-rank", str(node.rank)]
    command += ["--overrides", json.dumps({**overrides, "distributed": distributed})]
    return [*command, "--recover"] if (Path(folder) / "config.json").exists() else command


def main() -> None:
    """Becomes AllenNLP's command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("-s", "--serialization-dir", required=True, metavar="RUN")
    parser.add_argument("-o", "--overrides", default="{}", help="Jsonnet, laid over the config")
    parser.add_argument(
        "--devices", nargs="+", type=int, help="of each node; by default all GPUs, or the CPU (-1)"
    )
    arguments = parser.parse_args()
    try:
        node = node_of(os.environ)
    except ValueError as error:
        parser.error(str(error))
    overrides = json.loads(_jsonnet.evaluate_snippet("overrides", arguments.overrides))
    devices = arguments.devices or devices_here()
    command = command_of(node, arguments.config, arguments.serialization_dir, overrides, devices)
    # The processes meet at a place of their own, not at torchrun's.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TORCHELASTIC_")}
    os.execvpe(command[0], command, environment)


if __name__ == "__main__":
    main()
