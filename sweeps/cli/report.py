"""``antsbees report``: write what came out of a sweep as a page to look at."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from results.leaderboard import Leaderboard
from sweeps.cli.options import RunsOption, SweepOption
from sweeps.paths import RunPaths


class ReportFormat(StrEnum):
    """How a report is given."""

    HTML = "html"
    JSON = "json"


def report(
    sweep: SweepOption = None,
    format: Annotated[
        ReportFormat, typer.Option(help="A page below runs/reports/, or every number, printed")
    ] = ReportFormat.HTML,
    images: Annotated[bool, typer.Option(help="Show small pictures of images")] = True,
    data: Annotated[
        str | None, typer.Option(help="The sweep's images, if they have moved since")
    ] = None,
    runs: RunsOption = None,
) -> None:
    """Write what came out of a sweep as one page to look at; it asks nothing of any network."""
    paths = RunPaths.choose(runs)
    board = Leaderboard(paths.leaderboard)
    name = sweep or board.newest()
    record = board.read_trials(name, [board.read_table(name, ["trial_number"])[0][0].as_py()])[0]
    from sweeps.reporting.gathering import images_of
    from sweeps.reporting.writing import report_of, write_page

    dataset, missing = images_of(record, paths, data)
    made = report_of(paths, name, dataset, missing)
    if format is ReportFormat.JSON:
        print(json.dumps(made.to_plain(), indent=2, allow_nan=False))
        return
    paths.require_writable()
    print(write_page(made, paths, dataset if images else None))
