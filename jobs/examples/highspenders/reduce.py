"""Make input.csv from the original CDNOW file: all purchases, all columns, without the padding.

    pip download --no-deps Lifetimes==0.11.3
    python reduce.py Lifetimes-0.11.3-py3-none-any.whl > input.csv

The same wheel always gives the same bytes, so a difference from the committed input.csv is a change of the data.
"""

import csv
import sys
import zipfile
from datetime import datetime
from typing import TextIO

MEMBER = "lifetimes/datasets/CDNOW_master.txt"
COLUMNS = ("customer", "date", "cds", "dollars")


def reduce(original: str, output: TextIO) -> None:
    """Write the purchases of CDNOW_master.txt as CSV, in the original's order.

    Args:
        original: The text of the file: a header, then customer, date (YYYYMMDD), number of CDs and dollars by spaces.
        output: Gets customer (1 to 23570), date (YYYY-MM-DD), cds and dollars.
    """
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in original.splitlines()[1:]:
        customer, date, cds, dollars = line.split()
        writer.writerow((int(customer), datetime.strptime(date, "%Y%m%d").date(), cds, dollars))


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit(__doc__)
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        reduce(wheel.read(MEMBER).decode(), sys.stdout)
