"""What a worker does in finals: it trains finalists on folds, on benches that stay warm."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from antsbees.config import TrialConfig, num_trainings
from antsbees.errors import DivergedError
from antsbees.frozen.holding import Holder
from results.finals import FoldRecord
from results.schema import Objective
from sweeps.running.dividing import Places
from sweeps.running.trainable import (
    BENCHES_BYTES,
    Job,
    bench_of,
    settled,
    task_of_trial,
)

if TYPE_CHECKING:
    from antsbees.bench import Bench
    from antsbees.config import TaskConfig
    from antsbees.cross_validation import CrossValidation
    from antsbees.evaluation import Evaluation


@dataclass(frozen=True)
class OnFolds:
    """Finalists of one backbone on folds of one repeat: what a worker is asked for.

    Args:
        trials: Each with its number; heads among them are trained together.
        folds: The places of the images of each, in train and val together.
        without: Which of them are left out, one after another; of heads, all.
        stages: How many are frozen in any finalist of this backbone, to be computed in one go; of
            none for heads, whose features are there already.
    """

    sweep: str
    trials: tuple[tuple[int, TrialConfig], ...]
    repeat: int
    folds: tuple[Places, ...]
    without: Sequence[int]
    stages: tuple[int, ...]
    lane: str
    device: str
    threads: int


@dataclass(frozen=True)
class Folded:
    """What came of it: rows, in the order of trials and folds, and what diverged, by trial."""

    rows: list[FoldRecord]
    failures: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Answer:
    """What a trial answered on each fold, when that began, and the seconds it took."""

    trial_number: int
    found: list[Evaluation] | DivergedError
    began_s: float
    seconds: float


_warm: Holder[Bench] = Holder(BENCHES_BYTES, lambda bench: bench.num_bytes)
"""The benches of this process, by what they are for."""


def train_on_folds(job: Job, asked: OnFolds) -> Folded:
    """Train finalists without each fold, and test them there.

    Raises:
        AntsbeesError: They cannot be trained on this node.
    """
    from antsbees.cross_validation import CrossValidation

    task = task_of_trial(job, asked.trials[0][1])
    bench = _bench(job, task, asked.device, asked.threads)
    bench.compute(asked.stages)
    # Repeats differ in their seed too: a lucky order of the images is no merit.
    configs = {number: c.with_seed(c.seed + asked.repeat) for number, c in asked.trials}
    folded = Folded([])
    for answer in _answers(CrossValidation(bench, asked.folds), configs, asked.without):
        if isinstance(answer.found, DivergedError):
            folded.failures[answer.trial_number] = str(answer.found)
        else:
            folded.rows.extend(_rows(job, asked, answer, answer.found, task.backbone))
    return folded


def groups_of(job: Job, device: str, threads: int) -> list[int]:
    """Return for each image the group of near-duplicates it belongs to."""
    from antsbees.data.duplicates import near_duplicates

    bench = _bench(job, job.tasks[0], device, threads)
    features = bench.pooled_features().float().cpu().numpy()
    found = near_duplicates(bench.pooled_pixels().cpu().numpy(), features)
    return [int(group) for group in found]


def _answers(
    crossed: CrossValidation, configs: dict[int, TrialConfig], without: Sequence[int]
) -> Iterator[_Answer]:
    """Yield what each trial answered; the time of heads is divided among them."""
    fused = {number: config for number, config in configs.items() if crossed.is_fused(config)}
    if fused:
        began_s = time.time()
        together = crossed.heads(list(fused.values()))
        each_s = (time.time() - began_s) / len(fused)
        for place, (number, found) in enumerate(zip(fused, together, strict=True)):
            yield _Answer(number, found, began_s + place * each_s, each_s)
    for number, config in configs.items():
        if number not in fused:
            began_s = time.time()
            try:
                alone: list[Evaluation] | DivergedError = crossed.one(config, without)
            except DivergedError as error:
                alone = error
            yield _Answer(number, alone, began_s, time.time() - began_s)


def _rows(
    job: Job, asked: OnFolds, answer: _Answer, found: Sequence[Evaluation], backbone: str
) -> Iterator[FoldRecord]:
    is_accuracy, seconds = job.objective is Objective.VAL_ACCURACY, answer.seconds / len(found)
    config = dict(asked.trials)[answer.trial_number]
    for place, (number, evaluation) in enumerate(zip(asked.without, found, strict=True)):
        held_out = asked.folds[number]
        yield FoldRecord(
            sweep=asked.sweep,
            trial_number=answer.trial_number,
            repeat=asked.repeat,
            fold=number,
            num_folds=len(asked.folds),
            score=evaluation.accuracy if is_accuracy else evaluation.loss,
            accuracy=evaluation.accuracy,
            loss=evaluation.loss,
            seconds=seconds,
            soup_size=num_trainings(config.soup_size, config.frozen_stages, backbone),
            images=list(held_out),
            labels=[job.dataset.pooled.labels[place] for place in held_out],
            probabilities=evaluation.probabilities.tolist(),
            started_at=datetime.fromtimestamp(answer.began_s + place * seconds, UTC),
            lane=asked.lane,
            node=socket.gethostname(),
            worker_pid=os.getpid(),
        )


def _bench(job: Job, task: TaskConfig, device: str, threads: int) -> Bench:
    precisions = job.precision, job.inference_precision, job.fast_layers
    cached = job.cache_folder, job.cache_max_bytes
    name = repr((job.dataset.fingerprint, task, device, threads, precisions, cached))
    if (found := _warm.find(name)) is not None:
        return found
    bench = bench_of(settled(job), task, device, threads)
    _warm.keep(name, bench)
    return bench
