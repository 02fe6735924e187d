"""Sum up a folder of Parquet files of purchases by month, as CSV.

python summarise.py --purchases purchases --output months.csv
"""
# ruff: noqa: T201 - a script whose printed table is its result

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd


def main() -> None:
    """Read, sum up, write."""
    parser = argparse.ArgumentParser(description="Sum up a folder of Parquet files of purchases by month, as CSV.")
    parser.add_argument("--purchases", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    purchases = pd.read_parquet(arguments.purchases)
    months = purchases.groupby(purchases["date"].dt.strftime("%Y-%m")).agg(
        purchases=("dollars", "size"), customers=("customer", "nunique"), dollars=("dollars", "sum")
    )
    print(months.round(2).to_string())
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    months.round(2).to_csv(arguments.output, index_label="month")


if __name__ == "__main__":
    main()
