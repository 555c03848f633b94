"""The finals table: how the finalists did on every fold, and what they answered there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyarrow as pa

from results.columns import (
    COUNT,
    FRACTION,
    NATS,
    NUMBER,
    SECONDS,
    TEXT,
    TIME,
    Column,
    arrow_schema,
    column,
    columns_of,
)
from results.evidence import Evidence, Floats, Integers
from results.files import Layout
from results.table import SweepTable

SCHEMA_VERSION = 2


class Group(StrEnum):
    """What a column is about."""

    IDENTITY = "Which fold of which finalist it is"
    RESULT = "Results"
    EXECUTION = "How it was computed"
    FAILURE = "What went wrong"


@dataclass(frozen=True, kw_only=True)
class FoldRecord:
    """One row of the finals table: one finalist, trained without one fold and tested on it."""

    sweep: str = column(Column(Group.IDENTITY, TEXT, "Name of the sweep."))
    trial_number: int = column(Column(Group.IDENTITY, COUNT, "The finalist's trial."))
    repeat: int = column(Column(Group.IDENTITY, COUNT, "Which division into folds, from 0."))
    fold: int = column(Column(Group.IDENTITY, COUNT, "Which fold was left out, from 0."))
    num_folds: int = column(Column(Group.IDENTITY, COUNT, "Folds of a division.", "folds"))

    score: float = column(Column(Group.RESULT, NUMBER, "The sweep's objective on the fold."))
    accuracy: float = column(Column(Group.RESULT, NUMBER, "On the fold.", FRACTION))
    loss: float = column(Column(Group.RESULT, NUMBER, "Log-loss on the fold.", NATS))
    seconds: float = column(Column(Group.RESULT, NUMBER, "Wall time of its training.", SECONDS))
    images: list[int] = column(
        Column(
            Group.RESULT,
            pa.list_(pa.int64()),
            "Places of the fold's images in train and val together.",
        )
    )
    labels: list[int] = column(
        Column(Group.RESULT, pa.list_(pa.int64()), "The class of each, by its place.")
    )
    probabilities: list[list[float]] = column(
        Column(
            Group.RESULT,
            pa.list_(pa.list_(pa.float32())),
            "For each image of the fold, for each class.",
            FRACTION,
        )
    )

    soup_size: int | None = column(
        Column(
            Group.EXECUTION,
            COUNT,
            "Trainings of which the mean of the weights answered, or, had it fallen apart, the "
            "first: those of the row, or as many as `retrain` makes of it.",
        ),
        default=None,
    )
    started_at: datetime | None = column(
        Column(
            Group.EXECUTION,
            TIME,
            "When its training began; heads that are trained together count one after another.",
        ),
        default=None,
    )
    lane: str | None = column(Column(Group.EXECUTION, TEXT, "`cpu` or `gpu`."), default=None)
    node: str | None = column(Column(Group.EXECUTION, TEXT, "Name of the machine."), default=None)
    worker_pid: int | None = column(
        Column(Group.EXECUTION, COUNT, "Process on that machine."), default=None
    )
    error: str | None = column(
        Column(
            Group.FAILURE,
            TEXT,
            "Why the finalist diverged in this repeat; such a row, of fold 0, has no results.",
        ),
        default=None,
    )


COLUMNS = columns_of(FoldRecord)
LAYOUT = Layout(arrow_schema(FoldRecord, SCHEMA_VERSION), key=("trial_number", "repeat", "fold"))


class Finals:
    """The rows of all sweeps' finals: ``<sweep>/rows-*.parquet``, published as the leaderboard's.

    A row appended later replaces one of the same trial, repeat and fold.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._table = SweepTable(folder, LAYOUT, "finals table")

    def append(self, records: Sequence[FoldRecord]) -> Path:
        """Publish rows of one sweep together; they are on disk when this returns the file.

        Raises:
            LeaderboardError: The folder cannot be written.
        """
        return self._table.append(records[0].sweep, [asdict(record) for record in records])

    def append_failure(
        self, sweep: str, trial_number: int, repeat: int, num_folds: int, error: str
    ) -> Path:
        """Publish that a finalist diverged in a repeat.

        Raises:
            LeaderboardError: The folder cannot be written.
        """
        row = {
            "sweep": sweep, "trial_number": trial_number, "repeat": repeat, "fold": 0,
            "num_folds": num_folds, "error": error,
        }  # fmt: skip
        return self._table.append(sweep, [row])

    def read(self, sweep: str) -> list[FoldRecord]:
        """Read the folds of a sweep with results, in the order of trials, repeats and folds.

        Raises:
            LeaderboardError: There are no finals, or none of this sweep.
        """
        rows = self._table.read_table([sweep], COLUMNS).to_pylist()
        return [FoldRecord(**row) for row in rows if row["error"] is None]

    def read_undiverged(self, sweep: str) -> list[FoldRecord]:
        """Read the folds of those that diverged in no repeat, among whom the winner is.

        Raises:
            LeaderboardError: As ``read``.
        """
        folds = self.read(sweep)
        divisions = {fold.num_folds for fold in folds}
        diverged = {(trial, n) for n in divisions for trial, _ in self.failures(sweep, n)}
        return [fold for fold in folds if (fold.trial_number, fold.num_folds) not in diverged]

    def failures(self, sweep: str, num_folds: int) -> set[tuple[int, int]]:
        """Read which trials diverged in which repeats of a division into so many folds.

        Raises:
            LeaderboardError: As ``read``.
        """
        columns = ("trial_number", "repeat", "num_folds", "error")
        rows = self._table.read_table([sweep], columns).to_pylist()
        return {
            (row["trial_number"], row["repeat"])
            for row in rows
            if row["error"] is not None and row["num_folds"] == num_folds
        }

    def sweeps(self) -> list[str]:
        """List the sweeps that have rows, by name."""
        return self._table.sweeps()


@dataclass(frozen=True)
class OutOfFold:
    """What finalists answered for images they had not learnt from, the mean over their repeats.

    Args:
        trial_numbers: Those that answered for every image.
        probabilities: ``(trials, images, classes)``.
        labels: ``(images,)``.
        losses: ``(trials, images)``: the mean log-loss of the answers, each being one model's. That
            of the mean answer is lower, and no single model's.
        hits: ``(trials, images)``: how often the answer was right.
    """

    trial_numbers: tuple[int, ...]
    probabilities: Floats
    labels: Integers
    losses: Floats
    hits: Floats

    @property
    def evidence(self) -> Evidence:
        """The same as evidence for a choice; every trial is judged as a single model."""
        known = Evidence.of(np.minimum(self.probabilities, 1), self.labels)
        return replace(known, losses=self.losses, hits=self.hits)


def out_of_fold(records: Sequence[FoldRecord]) -> OutOfFold:
    """Put folds together; a trial that did not come to answer for every image is left out.

    Raises:
        ValueError: There are no rows, or an image has two labels.
    """
    if not records:
        raise ValueError("there are no folds to put together")
    num_images = 1 + max(max(record.images) for record in records)
    num_classes = len(records[0].probabilities[0])
    labels = np.full(num_images, -1, np.int64)
    sums: dict[int, Floats] = {}
    times: dict[int, Floats] = {}
    measured: dict[int, Floats] = {}  # sums of losses and of hits
    for record in records:
        images, told = np.array(record.images), np.array(record.labels)
        if ((labels[images] >= 0) & (labels[images] != told)).any():
            raise ValueError(f"fold {record.fold} of repeat {record.repeat} has other labels")
        labels[images] = told
        trial = record.trial_number
        answers = sums.setdefault(trial, np.zeros((num_images, num_classes)))
        answers[images] += np.array(record.probabilities)
        known = Evidence.of(np.minimum([record.probabilities], 1), told)
        both = measured.setdefault(trial, np.zeros((2, num_images)))
        both[:, images] += np.concatenate([known.losses, known.hits])
        times.setdefault(trial, np.zeros(num_images))[images] += 1
    complete = tuple(trial for trial in sorted(sums) if (times[trial] > 0).all())
    means = [sums[trial] / times[trial][:, None] for trial in complete]
    answered = np.stack(means) if means else np.zeros((0, num_images, num_classes))
    means_of_both = [measured[trial] / times[trial] for trial in complete]
    losses, hits = (
        np.stack(means_of_both, axis=1) if means_of_both else np.zeros((2, 0, num_images))
    )
    return OutOfFold(complete, answered, labels, losses, hits)
