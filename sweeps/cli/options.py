"""Options that several commands share, and the rows they name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from results.ensemble import MOST_OFFERED
from results.finals import Finals
from results.leaderboard import Leaderboard
from results.schema import TrialRecord
from results.winner import FinalWinner, final_winner
from sweeps import naming
from sweeps.backbones import known_backbones
from sweeps.paths import RunPaths

if TYPE_CHECKING:
    from sweeps.spec.models import SweepSpec

RunsOption = Annotated[
    Path | None,
    typer.Option(
        "--runs", help="Folder for everything a sweep writes [default: ANTSBEES_RUNS or ./runs]"
    ),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address",
        help="A running Ray cluster: auto, or <head>:6379 [default: the spec's, or RAY_ADDRESS, or "
        "a Ray of its own on this machine]",
    ),
]
SweepOption = Annotated[
    str | None, typer.Option("--sweep", help="Name of the sweep [default: the newest]")
]


def ray_address() -> str | None:
    """Return the cluster that Ray's own variable names, as it does inside of a job of Ray's."""
    return os.environ.get("RAY_ADDRESS") or None


def rows_of(paths: RunPaths, sweep: str | None) -> list[TrialRecord]:
    """Return the rows of a sweep, or of the newest one.

    Raises:
        ResultsError: There are none, or they cannot be read.
    """
    board = Leaderboard(paths.leaderboard)
    return board.read(sweep or board.newest())


def named_winner(
    paths: RunPaths, records: list[TrialRecord], most_members: int = MOST_OFFERED
) -> FinalWinner | None:
    """Return the winner of a sweep's finals; ``None`` if it had none.

    Args:
        most_members: Of the ensemble beside it.

    Raises:
        ResultsError: The finals cannot be read.
    """
    table, sweep = Finals(paths.finals), records[0].sweep
    if sweep not in table.sweeps():
        return None
    folds = table.read_undiverged(sweep)
    return final_winner(
        folds, records, most_members=most_members, backbones=known_backbones(records)
    )


def winner_of_finals(paths: RunPaths, sweep: str) -> FinalWinner | None:
    """Return what ``named_winner`` does, reading the finalists' rows only.

    Raises:
        ResultsError: The finals or the rows cannot be read.
    """
    table = Finals(paths.finals)
    if sweep not in table.sweeps():
        return None
    folds = table.read_undiverged(sweep)
    finalists = {fold.trial_number for fold in folds}
    records = Leaderboard(paths.leaderboard).read_trials(sweep, finalists)
    return final_winner(folds, records, backbones=known_backbones(records))


def spec_asked(
    spec: str, name: str | None, data: str | None, trials: int | None, address: str | None
) -> SweepSpec:
    """Read the spec that a command names, with what its options say instead.

    Raises:
        UsageError: There is no such spec, or it has a mistake.
    """
    from sweeps.spec.reading import read_spec

    read = read_spec(naming.spec_path(spec), name=name, data=data, trials=trials)
    if data is not None and name is None:
        read = read.model_copy(update={"name": naming.name_with_data(read.name, data)})
    return read.model_copy(update={"address": address or read.address or ray_address()})
