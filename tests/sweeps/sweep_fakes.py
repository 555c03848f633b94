"""What the tests of sweeps are made of: short specs, rows, images that are only names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import optuna

from antsbees.config import TrialConfig
from antsbees.data.datasets import Dataset, Split
from results.schema import TrialRecord, TrialStatus
from sweeps.finals.standing import FinalsStanding
from sweeps.running.lanes import Lane, LaneKind
from sweeps.search.samplers import make_sampler
from sweeps.search.space import SearchSpace
from sweeps.spec.models import SweepSpec

WIDE_SPACE: dict[str, Any] = {
    "lr": {"log_uniform": [1e-4, 0.5]},
    "momentum": {"uniform": [0.5, 0.99]},
    "weight_decay": {"choice": [0, 1e-4, 1e-2]},
    "batch_size": {"choice": [16, 32, 64]},
    "label_smoothing": 0.1,
    "frozen_stages": {"int": [4, "all"]},
    "schedule": {
        "constant": {},
        "step": {"step_size": {"int": [1, 5]}, "gamma": {"uniform": [0.1, 0.9]}},
        "exponential": {"gamma": {"choice": [0.8, 0.9]}},
        "cosine": {"final_fraction": 0.01},
        "one_cycle": {"peak": {"uniform": [0.1, 0.5]}},
    },
    "warmup_epochs": {"int": [0, 2]},
}
"""Every way to write an entry, and every kind of schedule."""

GRID_SPACE: dict[str, Any] = {
    "lr": {"choice": [0.01, 0.1]},
    "momentum": 0.9,
    "batch_size": {"int": [31, 32]},
    "frozen_stages": {"choice": [7, "all"]},
    "schedule": {
        "constant": {},
        "step": {"step_size": {"choice": [2, 3, 4]}, "gamma": 0.5},
        "cosine": {"final_fraction": 0},
    },
}
"""Forty combinations: 2 x 2 x 2 of the shared ones, times 1 + 3 + 1 of the schedules."""
NUM_IN_GRID = 40

CPU = Lane(LaneKind.CPU, "cpu", slots=2, threads=1)
GPU = Lane(LaneKind.GPU, "cuda", slots=1, threads=2, gpu=0.5)

DATASET = Dataset(
    name="photos",
    root=Path("/photos"),
    classes=("ants", "bees"),
    train=Split((Path("/photos/train/ants/1.jpg"), Path("/photos/train/bees/1.jpg")), (0, 1)),
    val=Split((Path("/photos/val/ants/2.jpg"),), (0,)),
    fingerprint="0123456789abcdef",
)


def make_spec(space: dict[str, Any] | None = None, **settings: Any) -> SweepSpec:
    """A spec named ``test``; ``search`` and what else is left out are its defaults."""
    given = {"name": "test"} | settings | ({} if space is None else {"space": space})
    return SweepSpec.model_validate(given)


def study_in_memory(spec: SweepSpec, num_known: int = 0) -> optuna.Study:
    """A study as the spec wants it that is forgotten."""
    optuna.logging.disable_default_handler()
    sampler = make_sampler(spec, SearchSpace.of(spec), num_known)
    return optuna.create_study(direction=spec.objective.direction, sampler=sampler)


def epoch(number: int, val_accuracy: float = 0.9) -> dict[str, Any]:
    """The metrics of an epoch, as a worker reports them."""
    return {
        "epoch": number, "train_loss": 0.5, "val_loss": 1 - val_accuracy,
        "val_accuracy": val_accuracy, "lr": 0.01, "seconds": 2.0, "train_s": 1.5,
        "images_per_second": 122.0,
    }  # fmt: skip


def row(number: int = 0, score: float | None = 0.9, **changes: Any) -> TrialRecord:
    """The row of a complete trial."""
    record = TrialRecord(
        sweep="test", trial_number=number, status=TrialStatus.COMPLETE,
        objective="val_accuracy", seed=0, lr=0.01, momentum=0.9,
        weight_decay=0.0001, batch_size=32, label_smoothing=0.0, frozen_stages=9,
        schedule="cosine", final_fraction=0.0, warmup_epochs=0, score=score, val_accuracy=score,
        val_loss=0.1234, epochs_run=10, epochs=10, training_s=12.5, lane="cpu",
        dataset="photos", dataset_fingerprint="0123456789abcdef", num_val_images=153,
        started_at=datetime(2025, 3, 1, tzinfo=UTC),
    )  # fmt: skip
    return replace(record, **changes)


class FakeRay:
    """As much of Ray as tells on which node a process is."""

    HERE = "this node"

    def get_runtime_context(self) -> FakeRay:
        return self

    def get_node_id(self) -> str:
        return self.HERE

    def nodes(self) -> list[str]:
        return [self.HERE]

    def get(self, reference: Any) -> Any:
        return reference


@dataclass
class Notes:
    """An observer that writes down what it is told."""

    taken: list[tuple[Any, ...]] = field(default_factory=list)

    def sweep_started(self, lanes: tuple[Lane, ...], known: list[TrialRecord]) -> None:
        self.taken.append(("sweep", lanes, known))

    def trial_started(self, number: int, config: TrialConfig, lane: Lane) -> None:
        self.taken.append(("started", number, lane.kind))

    def trial_reported(self, number: int, epoch: int, score: float) -> None:
        self.taken.append(("reported", number, epoch, score))

    def trial_finished(self, record: TrialRecord) -> None:
        self.taken.append(("finished", record.trial_number, record.status))

    def finals_went_on(self, standing: FinalsStanding) -> None:
        self.taken.append(("finals", standing))

    def noted(self, sentence: str) -> None:
        self.taken.append(("noted", sentence))
