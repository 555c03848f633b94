"""``antsbees leaderboard``: list trials, best first."""

from __future__ import annotations

import csv
import json
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from results.leaderboard import Leaderboard
from results.report.places import place_uses
from sweeps.cli.options import RunsOption
from sweeps.paths import RunPaths
from sweeps.views import tables
from sweeps.views.console import PlainConsole
from sweeps.views.places import places_table


class TableFormat(StrEnum):
    """How the leaderboard is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class By(StrEnum):
    """What is listed instead of trials."""

    LANE = "lane"


def leaderboard(
    sweep: Annotated[
        str | None, typer.Option("--sweep", help="Name of a sweep [default: all of them]")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Rows to show of each dataset")] = 20,
    format: Annotated[TableFormat, typer.Option(help="How to print it")] = TableFormat.TABLE,
    by: Annotated[
        By | None,
        typer.Option(help="Sum up what each lane of each machine did [default sweep: the newest]"),
    ] = None,
    runs: RunsOption = None,
) -> None:
    """List trials, best first; different datasets and objectives are never ranked together."""
    board = Leaderboard(RunPaths.choose(runs).leaderboard)
    if by is By.LANE:
        name = sweep or board.newest()
        uses = place_uses(board.read(name, heavy=True))
        if format is TableFormat.TABLE:
            PlainConsole(wide=True).print(places_table(f"sweep {name}", uses))
            return
        rows = [use.to_plain() for use in uses]
    else:
        records = board.read(sweep)
        if format is TableFormat.TABLE:
            PlainConsole(wide=True).print(tables.leaderboard_tables(records, top))
            return
        rows = tables.leaderboard_rows(records, top)
    _print(rows, format)


def _print(rows: list[dict[str, Any]], format: TableFormat) -> None:
    if format is TableFormat.JSON:
        print(json.dumps(rows, indent=2))
    else:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
