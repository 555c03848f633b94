"""What a worker does in finals: it trains finalists on folds, on a bench that stays warm."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from antsbees.config import TrialConfig
from results.finals import FoldRecord
from results.schema import Objective
from sweeps.running.trainable import Job, bench_of, require_same_images, task_of_trial

if TYPE_CHECKING:
    from antsbees.bench import Bench
    from antsbees.config import TaskConfig

Places = tuple[int, ...]


@dataclass(frozen=True)
class OnFolds:
    """One finalist on all folds of one repeat: what a worker is asked for.

    Args:
        folds: The places of the images of each, in train and val together.
    """

    sweep: str
    number: int
    trial: TrialConfig
    repeat: int
    folds: tuple[Places, ...]
    device: str
    threads: int


_warm: dict[str, Bench] = {}
"""The one bench of this process, by what it is for."""


def train_on_folds(job: Job, asked: OnFolds) -> list[FoldRecord]:
    """Train a finalist without each fold, and test it there.

    Raises:
        AntsbeesError: It diverged, or cannot be trained on this node.
    """
    bench = _bench(job, task_of_trial(job, asked.trial), asked.device, asked.threads)
    every = range(len(job.dataset.pooled))
    rows = []
    for number, held_out in enumerate(asked.folds):
        left_out = set(held_out)
        learnt = tuple(place for place in every if place not in left_out)
        began_s = time.perf_counter()
        # Repeats differ in their seed too: a lucky order of the images is no merit.
        trial = asked.trial.with_seed(asked.trial.seed + asked.repeat)
        training = bench.fold_training(trial, learnt, held_out)
        for _ in range(trial.epochs):
            training.run_epoch()
        if (found := training.evaluation) is None:
            raise RuntimeError("a training without epochs answers nothing")
        is_accuracy = job.objective is Objective.VAL_ACCURACY
        rows.append(
            FoldRecord(
                sweep=asked.sweep,
                trial_number=asked.number,
                repeat=asked.repeat,
                fold=number,
                num_folds=len(asked.folds),
                score=found.accuracy if is_accuracy else found.loss,
                accuracy=found.accuracy,
                loss=found.loss,
                seconds=time.perf_counter() - began_s,
                images=list(held_out),
                labels=[job.dataset.pooled.labels[place] for place in held_out],
                probabilities=found.probabilities.tolist(),
            )
        )
    return rows


def groups_of(job: Job, device: str, threads: int) -> list[int]:
    """Return for each image the group of near-duplicates it belongs to."""
    from antsbees.data.duplicates import near_duplicates

    bench = _bench(job, job.tasks[0], device, threads)
    features = bench.pooled_features().float().cpu().numpy()
    found = near_duplicates(bench.pooled_pixels().cpu().numpy(), features)
    return [int(group) for group in found]


def _bench(job: Job, task: TaskConfig, device: str, threads: int) -> Bench:
    name = repr((job.dataset.fingerprint, task, device, threads))
    if name not in _warm:
        require_same_images(job)
        _warm.clear()  # one backbone at a time: the memory of the last one is freed first
        _warm[name] = bench_of(job, task, device, threads)
    return _warm[name]
