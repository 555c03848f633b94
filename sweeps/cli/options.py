"""Options that several commands share, and the rows they name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from results.leaderboard import Leaderboard
from results.schema import TrialRecord
from sweeps.paths import RunPaths

RunsOption = Annotated[
    Path | None,
    typer.Option(
        "--runs", help="Folder for everything a sweep writes [default: ANTSBEES_RUNS or ./runs]"
    ),
]
SweepOption = Annotated[
    str | None, typer.Option("--sweep", help="Name of the sweep [default: the newest]")
]


def rows_of(paths: RunPaths, sweep: str | None) -> list[TrialRecord]:
    """Return the rows of a sweep, or of the newest one.

    Raises:
        ResultsError: There are none, or they cannot be read.
    """
    board = Leaderboard(paths.leaderboard)
    return board.read(sweep or board.newest())
