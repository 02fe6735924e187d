"""Sum up purchases by week: how many by new customers, how many by those who came back, and what both spent.

python weeks.py --purchases ../../highspenders/input.csv --output weeks.csv
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd


def weekly(purchases: Any) -> Any:
    """Return a row a week, from Monday on: `purchases` and `dollars`, each of customers on their first day and later.

    Args:
        purchases: A row a purchase, with customer, date and dollars.
    """
    first = purchases.groupby("customer")["date"].transform("min")
    purchases = purchases.assign(
        who=(purchases["date"] == first).map({True: "new", False: "returning"}),
        week=purchases["date"].dt.to_period("W-SUN").dt.start_time,
    )
    table = purchases.groupby(["week", "who"])["dollars"].agg(purchases="size", dollars="sum").unstack(fill_value=0)
    table.columns = [f"{who}_{what}" for what, who in table.columns]
    return table.round(2)


def main() -> None:
    """Read, sum up, write."""
    parser = argparse.ArgumentParser(description="Sum up purchases by week, of new and returning customers.")
    parser.add_argument("--purchases", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    table = weekly(pd.read_csv(arguments.purchases, parse_dates=["date"]))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(arguments.output, date_format="%Y-%m-%d")


if __name__ == "__main__":
    main()
