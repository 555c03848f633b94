"""``antsbees leaderboard``: list trials, best first."""

from __future__ import annotations

import csv
import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from results.leaderboard import Leaderboard
from sweeps.cli.options import RunsOption
from sweeps.paths import RunPaths
from sweeps.views import tables
from sweeps.views.console import PlainConsole


class TableFormat(StrEnum):
    """How the leaderboard is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def leaderboard(
    sweep: Annotated[
        str | None, typer.Option("--sweep", help="Name of a sweep [default: all of them]")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Rows to show of each dataset")] = 20,
    format: Annotated[TableFormat, typer.Option(help="How to print it")] = TableFormat.TABLE,
    runs: RunsOption = None,
) -> None:
    """List trials, best first; different datasets and objectives are never ranked together."""
    records = Leaderboard(RunPaths.choose(runs).leaderboard).read(sweep)
    if format is TableFormat.TABLE:
        PlainConsole(wide=True).print(tables.leaderboard_tables(records, top))
        return
    rows = tables.leaderboard_rows(records, top)
    if format is TableFormat.JSON:
        print(json.dumps(rows, indent=2))
    else:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
