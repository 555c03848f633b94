"""Where a sweep stands: its winner, the tutorial's trial beside it, and how trials ended.

Ranking needs few columns; only the rows that are shown become records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from results.errors import LeaderboardError
from results.leaderboard import Leaderboard
from results.ranking import NOT_COMPARABLE, no_winner, winner
from results.schema import TUTORIAL, Objective, TrialRecord, TrialStatus

COMPARED = ("dataset", "dataset_fingerprint", "objective")
RANKED = ("sweep", "trial_number", "status", "first", "score", "val_loss", "training_s", *COMPARED)
"""The columns that ranking needs."""


@dataclass(frozen=True)
class Standing:
    """The winner of rows that can be compared.

    Args:
        tutorial: The tutorial's configuration, if such a trial is complete.
        counts: How many trials ended how.
    """

    winner: TrialRecord
    tutorial: TrialRecord | None
    counts: Mapping[TrialStatus, int]


def standing_of(records: Sequence[TrialRecord], chosen: TrialRecord | None = None) -> Standing:
    """Tell where rows stand that can be compared.

    Args:
        chosen: The winner, if it is not the first of the ranking.

    Raises:
        EmptyLeaderboard: No trial is complete.
        ValueError: The rows are of several datasets or objectives.
    """
    complete = (record for record in records if record.status is TrialStatus.COMPLETE)
    tutorial = next((record for record in complete if record.first == TUTORIAL), None)
    counts = {status: sum(r.status is status for r in records) for status in TrialStatus}
    return Standing(chosen or winner(records), tutorial, counts)


def read_standing(board: Leaderboard, sweep: str, chosen: int | None = None) -> Standing:
    """Read where a sweep stands, which takes a fraction of reading all its records.

    Args:
        chosen: The winner's trial, if it is not the first of the ranking.

    Raises:
        EmptyLeaderboard, ValueError: As ``standing_of``.
        LeaderboardError: There is no leaderboard, or no such sweep.
    """
    table = board.read_table(sweep, RANKED)
    statuses = table.column("status").to_pylist()
    counts = {status: statuses.count(status) for status in TrialStatus}
    number = _winning_trial(table, counts) if chosen is None else chosen
    is_complete = pc.equal(table.column("status"), str(TrialStatus.COMPLETE))
    is_tutorial = pc.and_(is_complete, pc.equal(table.column("first"), TUTORIAL))
    tutorial = pc.index(is_tutorial, True).as_py()
    shown = [number] if tutorial < 0 else [number, table.column("trial_number")[tutorial].as_py()]
    records = {record.trial_number: record for record in board.read_trials(sweep, shown)}
    if not records.keys() >= {*shown}:
        raise LeaderboardError(f"rows of sweep {sweep!r} vanished while they were read")
    return Standing(records[shown[0]], records[shown[1]] if tutorial >= 0 else None, counts)


def _winning_trial(table: pa.Table, counts: Mapping[TrialStatus, int]) -> int:
    order = ranking(table)
    if not len(order) or not _is_scored(table, int(order[0])):
        raise no_winner(counts)
    number: int = table.column("trial_number")[int(order[0])].as_py()
    return number


def ranking(table: pa.Table) -> npt.NDArray[np.intp]:
    """Return the places of rows in a table that has each trial once, best first, as ``rank`` does.

    Raises:
        ValueError: The rows are of several datasets or objectives.
    """
    if not table.num_rows:
        return np.empty(0, np.intp)
    if table.group_by(list(COMPARED)).aggregate([]).num_rows > 1:
        raise ValueError(NOT_COMPARABLE)
    objective = Objective(table.column("objective")[0].as_py())
    sign = -1.0 if objective is Objective.VAL_ACCURACY else 1.0
    score = np.where(_is_null(table, "score"), np.inf, sign * _floats(table, "score"))
    keys = (
        _places(table.column("status"), map(str, TrialStatus)),
        score,
        np.where(_is_null(table, "val_loss"), np.inf, _floats(table, "val_loss")),
        _floats(table, "training_s"),
        _places(table.column("sweep"), sorted(pc.unique(table.column("sweep")).to_pylist())),
        table.column("trial_number").to_numpy(),
    )
    return np.lexsort(keys[::-1])


def _places(column: pa.ChunkedArray, values: Iterable[str]) -> npt.NDArray[Any]:
    """Return the place of each of a column's values in a list of them."""
    found: npt.NDArray[Any] = pc.index_in(column, pa.array(list(values), pa.string())).to_numpy()
    return found


def _floats(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = table.column(name).fill_null(0.0).to_numpy()
    return values


def _is_null(table: pa.Table, name: str) -> npt.NDArray[np.bool_]:
    nulls: npt.NDArray[np.bool_] = table.column(name).is_null().to_numpy()
    return nulls


def _is_scored(table: pa.Table, place: int) -> bool:
    """Tell whether a row is of a trial that is complete and has a score."""
    status, score = (table.column(name)[place].as_py() for name in ("status", "score"))
    return status == TrialStatus.COMPLETE and score is not None
