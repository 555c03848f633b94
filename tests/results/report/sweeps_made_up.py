"""Sweeps that never ran, for the tests of the report: rows, finals and images with any names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from results.finals import FoldRecord
from results.report.gathered import Gathered, Images, Importance, Reproduction
from results.schema import TrialRecord, TrialStatus
from results.winner import final_winner

START = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
NUM_TRAIN, NUM_VAL = 24, 12
CLASSES = ("ants", "bees", "wasps")


def epoch(number: int, accuracy: float) -> dict[str, Any]:
    """One entry of a curve."""
    return {
        "epoch": number, "train_loss": 0.5, "val_loss": 1 - accuracy, "val_accuracy": accuracy,
        "lr": 0.01, "seconds": 1.0, "train_s": 0.5, "images_per_second": 100.0 + number,
    }  # fmt: skip


def trial(number: int, accuracy: float | None = 0.9, **changes: Any) -> TrialRecord:
    """A trial of three epochs that took three seconds, in one of two workers."""
    epochs = 0 if accuracy is None else 3
    began = START + timedelta(seconds=4 * (number // 2))
    values: dict[str, Any] = {
        "status": TrialStatus.COMPLETE, "lr": 0.001 * (1 + number), "momentum": 0.9,
        "frozen_stages": 7 + number % 3, "batchnorm": ("train", "frozen")[number % 2],
        "schedule": "constant", "epochs": 3, "backbone": "efficientnet_lite0", "image_size": 224,
        "score": accuracy, "val_accuracy": accuracy,
        "val_loss": None if accuracy is None else 1 - accuracy,
        "curve": [epoch(n, accuracy - 0.1 / n) for n in range(1, epochs + 1)] if accuracy else None,
        "probabilities": None, "epochs_run": epochs, "training_s": 3.0, "lane": "cpu",
        "node": "here", "worker_pid": 1 + number % 2, "dataset": "garden",
        "dataset_fingerprint": "0123abcd", "num_val_images": NUM_VAL, "started_at": began,
        "finished_at": began + timedelta(seconds=3), "weights_hash": "fedc", "precision": "fp32",
        "code_version": "0.2.0", "library_versions": "python 3.11",
    } | changes  # fmt: skip
    return TrialRecord(
        sweep="made-up", trial_number=number, objective="val_accuracy", seed=0, **values
    )


def labels() -> list[int]:
    """The class of every image, those to learn from first."""
    return [place % len(CLASSES) for place in range(NUM_TRAIN + NUM_VAL)]


def folds(number: int, wrong: Sequence[int] = (), confidence: float = 0.8) -> list[FoldRecord]:
    """Two folds of a trial that takes some images for the next class, and the others for theirs."""
    known, rows = labels(), []
    for fold in range(2):
        images = list(range(fold, len(known), 2))
        given = np.full((len(images), len(CLASSES)), (1 - confidence) / (len(CLASSES) - 1))
        for row, place in enumerate(images):
            given[row, (known[place] + (place in wrong)) % len(CLASSES)] = confidence
        rows.append(
            FoldRecord(
                sweep="made-up", trial_number=number, repeat=0, fold=fold, num_folds=2, score=0.9,
                accuracy=0.9, loss=0.2, seconds=1.0, images=images,
                labels=[known[place] for place in images], probabilities=given.tolist(),
                started_at=START + timedelta(seconds=200 + 2 * number + fold), lane="cpu",
                node="here", worker_pid=9,
            )
        )  # fmt: skip
    return rows


def images(classes: Sequence[str] = CLASSES, name: str = "{split}/{label}/{place}.jpg") -> Images:
    """Images with names of a pattern; the last one is nearly the same as the first."""
    known = labels()
    names = [
        name.format(split="train" if place < NUM_TRAIN else "val", label=label, place=place)
        for place, label in enumerate(known)
    ]
    groups = [*range(len(known) - 1), 0]
    return Images(names, known, classes, NUM_TRAIN, groups)


def gathered(num_trials: int = 30, **changes: Any) -> Gathered:
    """A sweep with finals: trial 0 is the tutorial's, 1 the probe, 2 the winner."""
    trials = [
        trial(0, 0.80, first="tutorial"),
        trial(1, 0.85, first="probe", lr=1e-9),
        trial(2, 0.95),
        trial(3, 0.5, status=TrialStatus.STOPPED, epochs_run=3),
        trial(4, None, status=TrialStatus.FAILED, error_kind="diverged"),
        *(
            trial(number, 0.6 + 0.01 * (number % 30), backbone=f"efficientnet_lite{number % 3}")
            for number in range(5, num_trials)
        ),
    ]
    rows = [
        *folds(0, wrong=(1, 2, 3, 4, 5, 6, 7)),
        *folds(1, wrong=(1, 2, 3)),
        *folds(2, wrong=(1,)),
    ]
    values: dict[str, Any] = {
        "sweep": "made-up", "trials": trials, "folds": rows, "images": images(),
        "winner": final_winner(rows, trials, bootstraps=20),
        "importance": (Importance("lr", 0.6, 0.5, 0.7), Importance("momentum", 0.4, 0.3, 0.5)),
        "on_log": frozenset({"lr"}),
        "reproduction": Reproduction("name: made-up\n", ("antsbees sweep made-up.yaml",)),
    } | changes  # fmt: skip
    return Gathered(**values)
