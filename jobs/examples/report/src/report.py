"""Write the report: one HTML file with its plots inside, which opens in any browser and needs no other file.

    python report.py --weeks weeks.csv

What a script writes to the folder `outputs` becomes an artifact of its run: the studio shows it under *Outputs + logs*.
"""
# ruff: noqa: T201 - a script whose printed line is its log

from __future__ import annotations

import argparse
from collections.abc import Callable
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd

mpl.use("svg")
from matplotlib import pyplot as plt

OUTPUTS = Path("outputs")
SHOWN = 5  # weeks in the table
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  body {{ font: 16px/1.5 sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }}
  svg {{ width: 100%; height: auto }}
  table {{ border-collapse: collapse }} th, td {{ padding: .2rem .8rem; text-align: right }}
  tr + tr {{ border-top: 1px solid #ccc }}
</style>
<h1>{title}</h1>
<p>{summary}</p>
<h2>Dollars a week</h2>
{dollars}
<h2>Purchases a week</h2>
{purchases}
<h2>The weeks in which customers came back most</h2>
{table}
</html>
"""


def plot(weeks: Any, what: str, label: str) -> str:
    """Draw a value of new and returning customers by week; returns SVG."""
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    axes.stackplot(weeks.index, weeks[f"new_{what}"], weeks[f"returning_{what}"], labels=("new", "returning"))
    axes.set_ylabel(label)
    axes.legend(loc="upper right")
    return drawn(lambda text: figure.savefig(text, format="svg"))


def drawn(save: Callable[[StringIO], None]) -> str:
    """Return the SVG element that `save` writes, without the XML head that HTML does not know."""
    text = StringIO()
    save(text)
    plt.close()
    return text.getvalue()[text.getvalue().index("<svg") :]


def page(weeks: Any) -> str:
    """Compose the page."""
    total = weeks.sum()
    dollars = total["new_dollars"] + total["returning_dollars"]
    summary = (
        f"{total['new_purchases'] + total['returning_purchases']:,.0f} purchases for ${dollars:,.2f} "
        f"in {len(weeks)} weeks; {total['returning_dollars'] / dollars:.1%} of the money came from returning customers."
    )
    best = weeks.nlargest(SHOWN, "returning_dollars").rename_axis(None)
    best = best.rename(index=lambda week: week.date(), columns=lambda name: name.replace("_", " "))
    return PAGE.format(
        title="New and returning customers",
        summary=escape(summary),
        dollars=plot(weeks, "dollars", "US dollars"),
        purchases=plot(weeks, "purchases", "purchases"),
        table=best.to_html(border=0, float_format="{:,.2f}".format),
    )


def main() -> None:
    """Read, draw, write."""
    parser = argparse.ArgumentParser(description="Write the report.")
    parser.add_argument("--weeks", type=Path, required=True)
    arguments = parser.parse_args()
    OUTPUTS.mkdir(exist_ok=True)
    target = OUTPUTS / "report.html"
    target.write_text(page(pd.read_csv(arguments.weeks, index_col="week", parse_dates=True)), encoding="utf-8")
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
