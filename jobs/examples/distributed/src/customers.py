"""Describe each customer by all their purchases, in parts that each fit a worker's memory.

python customers.py --purchases ../../highspenders/input.csv --output customers
"""
# ruff: noqa: T201 - a script whose printed lines are its log

from __future__ import annotations

import argparse
import os
from pathlib import Path

import dask
import dask.dataframe as dd
from distributed import Client

WAITS = 120  # seconds for a worker on each node
SHOWN = 5  # customers


def main() -> None:
    """Read, sum up, write."""
    parser = argparse.ArgumentParser(description="Describe each customer by all their purchases.")
    parser.add_argument("--purchases", required=True, help="CSV file, or a pattern such as folder/*.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder for Parquet files")
    parser.add_argument("--part", default="64MB", help="that a worker reads at once")
    arguments = parser.parse_args()
    with Client() as client:
        client.wait_for_workers(int(os.environ.get("WORLD_SIZE", "1")), timeout=WAITS)
        purchases = dd.read_csv(arguments.purchases, blocksize=arguments.part, parse_dates=["date"])
        print(f"{purchases.npartitions} parts on {len(client.scheduler_info()['workers'])} workers", flush=True)
        customers = purchases.groupby("customer").agg(
            {"dollars": "sum", "cds": "sum", "date": ["min", "max", "count"]}, split_out=2
        )
        customers.columns = ["dollars", "cds", "first", "last", "purchases"]
        arguments.output.mkdir(parents=True, exist_ok=True)
        customers.to_parquet(arguments.output)
        customers = dd.read_parquet(arguments.output)
        dollars = customers["dollars"]
        count, total, largest = dask.compute(dollars.count(), dollars.sum(), customers.nlargest(SHOWN, "dollars"))
        print(f"{count:,} customers spent ${total:,.2f}; the largest:\n{largest.round(2).to_csv()}", flush=True)


if __name__ == "__main__":
    main()
