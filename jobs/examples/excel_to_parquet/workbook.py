"""Make purchases.xlsx of the purchases of every tenth customer of CDNOW: a sheet a quarter.

pip install openpyxl==3.1.5
python workbook.py ../highspenders/input.csv purchases.xlsx
"""

from __future__ import annotations

import csv
import sys
from datetime import date
from pathlib import Path

from openpyxl import Workbook

EVERY = 10  # customers
MONTHS = 3  # of a quarter


def write(source: Path, target: Path) -> None:
    """Write the workbook: each sheet has a title, the columns' names, and a purchase a row."""
    book = Workbook(write_only=True)
    sheets = {}
    with source.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if int(row["customer"]) % EVERY == 0]
    for row in sorted(rows, key=lambda row: row["date"]):
        day = date.fromisoformat(row["date"])
        quarter = f"{day.year}-Q{(day.month - 1) // MONTHS + 1}"
        if quarter not in sheets:
            sheets[quarter] = book.create_sheet(quarter)
            sheets[quarter].append([f"Purchases at CDNOW, {quarter}"])
            sheets[quarter].append(["customer", "date", "cds", "dollars"])
        sheets[quarter].append([int(row["customer"]), day, int(row["cds"]), float(row["dollars"])])
    book.save(target)


if __name__ == "__main__":
    if len(sys.argv) != 3:  # noqa: PLR2004 - the script and its two files
        sys.exit(__doc__)
    write(Path(sys.argv[1]), Path(sys.argv[2]))
