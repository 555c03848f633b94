"""Judges a model by the user's test images, and counts in the leaderboard that it was done."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from filelock import FileLock

from antsbees.checkpoints import SavedModel, load_model
from antsbees.data.datasets import Split
from antsbees.data.folder import read_test
from antsbees.errors import DataError
from antsbees.prediction import predict
from results.leaderboard import Leaderboard
from results.schema import TrialRecord
from results.unseen import UnseenScore, score_unseen
from sweeps.errors import UsageError
from sweeps.origin import find_origin
from sweeps.paths import RunPaths


@dataclass(frozen=True)
class Judged:
    """What a model scored on the test images.

    Args:
        looks: How often models of the sweep have been judged by them, this time included.
        trials: How many trials' models that were.
        copies: Test images whose contents are those of an image of train or val.
    """

    sweep: str
    dataset: str
    classes: tuple[str, ...]
    score: UnseenScore
    looks: int
    trials: int
    copies: int


def judge(folder: Path, paths: RunPaths, data: str | None = None) -> Judged:
    """Judge a model by the images of ``test/<class>/`` beside those of its sweep.

    The look is counted before there is an answer, so that none goes uncounted.

    Args:
        folder: The model's.
        data: The sweep's images, if they have moved since.

    Raises:
        ModelError: The folder is no model's.
        UsageError: The model's trial is not in the leaderboard, where looks are counted.
        DataError: There is no such folder, or its images cannot be used.
    """
    model = load_model(folder)
    sweep, numbers = _trials_of(model)
    rows = _rows(paths, sweep, numbers)
    dataset = find_origin(rows[0], paths.spec(sweep), data).dataset
    if dataset.classes != model.description.classes:
        raise DataError(f"the images in {dataset.root} have other classes than the model")
    split = read_test(dataset)
    looks = _count(paths, sweep, numbers)
    answers = list(predict(model, split.paths))
    if failed := next((answer for answer in answers if answer.error is not None), None):
        raise DataError(f"{failed.path}: {failed.error}")
    said = [[answer.probabilities[name] for name in dataset.classes] for answer in answers]
    score = score_unseen(np.array(said), np.array(split.labels))
    return Judged(
        sweep,
        dataset.name,
        dataset.classes,
        score,
        looks=sum(looks.values()),
        trials=len(looks),
        copies=_copies(split, dataset.pooled),
    )


def _trials_of(model: SavedModel) -> tuple[str, list[int]]:
    """Return the sweep and the trials that a model is of."""
    origin = model.description.provenance
    numbers = origin.get("trial_numbers", [origin.get("trial_number")])
    if "sweep" not in origin or None in numbers:
        raise UsageError("the model does not say of which trial it is, so no look can be counted")
    return str(origin["sweep"]), numbers


def _rows(paths: RunPaths, sweep: str, numbers: list[int]) -> list[TrialRecord]:
    board = Leaderboard(paths.leaderboard)
    found = {row.trial_number: row for row in board.read_trials(sweep, numbers, heavy=True)}
    if missing := [number for number in numbers if number not in found]:
        raise UsageError(
            f"trial {missing[0]} of sweep {sweep!r}, which the model is of, is not in "
            f"{paths.leaderboard}, where each look at test images is counted; name the folder "
            "that has it with --runs"
        )
    return [found[number] for number in numbers]


def _count(paths: RunPaths, sweep: str, numbers: list[int]) -> dict[int, int]:
    """Count a look at the test images in the row of a model's first trial.

    Returns:
        How often the test images were looked at, by trial of the sweep.
    """
    board = Leaderboard(paths.leaderboard)
    paths.sweep(sweep).mkdir(parents=True, exist_ok=True)
    with FileLock(paths.sweep(sweep) / "test.lock"):
        (row,) = _rows(paths, sweep, numbers[:1])
        board.append(replace(row, test_looks=(row.test_looks or 0) + 1))
    table = board.read_table(sweep, ("trial_number", "test_looks")).to_pylist()
    return {row["trial_number"]: row["test_looks"] for row in table if row["test_looks"]}


def _copies(split: Split, pooled: Split) -> int:
    """Count images of a split whose contents are those of another image."""
    known = {hashlib.sha256(path.read_bytes()).digest() for path in pooled.paths}
    return sum(hashlib.sha256(path.read_bytes()).digest() in known for path in split.paths)
