"""``antsbees report``: write what came out of a sweep as a page to look at."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from results.leaderboard import Leaderboard
from sweeps.cli.options import RunsOption, SweepOption
from sweeps.errors import UsageError
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
    follow: Annotated[
        bool, typer.Option("--follow", help="Write it again while the sweep runs")
    ] = False,
    runs: RunsOption = None,
) -> None:
    """Write what came out of a sweep as one page to look at; it asks nothing of any network."""
    if follow and format is ReportFormat.JSON:
        raise UsageError("--follow writes a page again and again: leave --format json out")
    paths = RunPaths.choose(runs)
    name = sweep or Leaderboard(paths.leaderboard).newest()
    from sweeps.reporting import writing
    from sweeps.reporting.gathering import open_images

    opened = open_images(paths, name, data)
    if format is ReportFormat.JSON:
        made = writing.report_of(paths, name, opened)
        print(json.dumps(made.to_plain(), indent=2, allow_nan=False))
        return
    paths.require_writable()
    try:
        if not follow:
            print(writing.write_report(paths, name, opened, images))
            return
        for place, file in enumerate(writing.follow(paths, name, opened, images)):
            if place == 0:
                print(file, flush=True)
    except OSError as error:
        told = f"cannot write {paths.report(name)}: {error.strerror}"
        raise UsageError(f"{told}; choose another folder with --runs") from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
