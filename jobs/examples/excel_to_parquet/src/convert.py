"""Make Parquet of an Excel workbook: a file a sheet.

    python convert.py --workbook ../purchases.xlsx --output purchases

Each sheet has a title in its first row, the columns' names in its second, and a purchase a row below.
"""
# ruff: noqa: T201 - a script whose printed lines are its log

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas as pd

COLUMNS = {"customer": "int64", "date": "datetime64[ms]", "cds": "int64", "dollars": "float64"}
HEADER = 1  # row of the columns' names, counted from 0


def read(workbook: Path) -> dict[str, Any]:
    """Read each sheet as a table with the types of COLUMNS.

    Raises:
        SystemExit: The file is no workbook, or a sheet lacks a column or has a value that is not of its column's type.
    """
    try:
        sheets = pd.read_excel(workbook, sheet_name=None, header=HEADER)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"{workbook}: cannot be read as an Excel workbook: {error}")
    for name, sheet in sheets.items():
        if missing := [column for column in COLUMNS if column not in sheet]:
            sys.exit(f"{workbook}, sheet {name}: no column {', '.join(missing)} in row {HEADER + 1}")
        try:
            sheets[name] = sheet[list(COLUMNS)].astype(COLUMNS)
        except (TypeError, ValueError) as error:
            sys.exit(f"{workbook}, sheet {name}: {error}")
    return dict(sheets)


def main() -> None:
    """Convert the workbook."""
    parser = argparse.ArgumentParser(description="Make Parquet of an Excel workbook: a file a sheet.")
    parser.add_argument("--workbook", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder, made if it is not there")
    arguments = parser.parse_args()
    # The place of an output need not exist: Azure ML mounts it, and nobody has made the folder in it.
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, sheet in read(arguments.workbook).items():
        sheet.to_parquet(arguments.output / f"{name}.parquet", index=False)
        print(f"{name}: {len(sheet):,} purchases", flush=True)


if __name__ == "__main__":
    main()
