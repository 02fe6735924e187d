"""Train a network that reads handwritten digits in several processes, on one node or on many.

    python train.py --output model                                          # alone
    torchrun --nproc-per-node 2 train.py --output model                     # two processes here

Azure ML sets for each process what torchrun does: RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT.
"""
# ruff: noqa: T201 - a script whose printed lines are its log

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.distributed import destroy_process_group, init_process_group
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

EPOCHS, BATCH = 20, 32  # a batch is one process's
BRIGHTEST = 16.0  # of a point of an image


def data() -> tuple[Any, Any]:
    """Return the digits to train with and those held out, each as images and what they show."""
    images, digits = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        images / BRIGHTEST, digits, test_size=0.2, random_state=0, stratify=digits
    )
    return tuple(
        TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
        for x, y in ((train_x, train_y), (test_x, test_y))
    )


def train(model: Any, digits: Any, device: Any, rank: int) -> None:
    """Train the model with this process's share of the digits; gradients are averaged over all processes."""
    sampler = DistributedSampler(digits, shuffle=True, seed=0)
    loader = DataLoader(digits, batch_size=BATCH, sampler=sampler)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    for epoch in range(EPOCHS):
        sampler.set_epoch(epoch)  # another order each time, the same in all processes
        for images, labels in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
        if rank == 0:
            print(f"epoch {epoch + 1}: loss {loss.item():.4f}", flush=True)


def main() -> None:
    """Train, and let the first process measure and write."""
    parser = argparse.ArgumentParser(description="Train a network that reads handwritten digits.")
    parser.add_argument("--output", type=Path, required=True, help="folder for the model")
    arguments = parser.parse_args()
    for name, alone in (("RANK", "0"), ("WORLD_SIZE", "1"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", "29500")):
        os.environ.setdefault(name, alone)
    cuda = torch.cuda.is_available()
    init_process_group("nccl" if cuda else "gloo")
    rank, size = torch.distributed.get_rank(), torch.distributed.get_world_size()
    device = torch.device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if cuda else "cpu")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)).to(device)
    model = DistributedDataParallel(network)
    known, held_out = data()
    print(f"process {rank} of {size} on {device}", flush=True)
    train(model, known, device, rank)
    if rank == 0:  # all have the same model; one writes it
        images, labels = held_out.tensors
        with torch.no_grad():
            accuracy = float((network(images.to(device)).argmax(1).cpu() == labels).float().mean())
        arguments.output.mkdir(parents=True, exist_ok=True)
        torch.save(network.state_dict(), arguments.output / "model.pt")
        about = {"accuracy": accuracy, "processes": size}
        (arguments.output / "model.json").write_text(json.dumps(about) + "\n", encoding="utf-8")
        print(f"accuracy {accuracy:.4f}")
    destroy_process_group()


if __name__ == "__main__":
    main()
