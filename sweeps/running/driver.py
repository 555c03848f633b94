"""Runs a sweep: starts Ray, places trials, collects rows, and takes up what was left undone."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from filelock import FileLock, Timeout
from ray import tune

from antsbees.data.datasets import Dataset
from antsbees.machine.allocator import ALLOCATOR_ENV
from antsbees.storage import cache_folder, publish_file
from results.leaderboard import Leaderboard
from results.schema import TrialRecord
from sweeps.errors import RunError, UsageError
from sweeps.paths import RunPaths
from sweeps.running.guard import guarded
from sweeps.running.lanes import Lane, plan_lanes
from sweeps.running.observer import Observer
from sweeps.running.searcher import StudySearcher
from sweeps.running.stopping import make_scheduler, rungs
from sweeps.running.trainable import FineTuning, Job
from sweeps.search.study import SearchStudy
from sweeps.spec.models import SweepSpec

logger = logging.getLogger(__name__)

OBJECT_STORE_BYTES = 200 * 1024**2  # results are small; images and activations do not go through it
FIXED_ONCE_STARTED = (
    "backbone", "weights", "image_size", "views", "epochs", "seed", "objective", "precision",
    "inference_precision", "space",
)  # fmt: skip
_TUNE_ENV = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # a failed trial has no score
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # the study and the leaderboard hold the state
    "TUNE_WARN_THRESHOLD_S": "10",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@dataclass
class SweepOutcome:
    """How a call of ``run_sweep`` ended.

    Args:
        num_new: Rows this call added.
        interrupted: It was ended by a signal; calling again goes on.
    """

    records: list[TrialRecord] = field(default_factory=list)
    num_new: int = 0
    interrupted: bool = False


def run_sweep(
    spec: SweepSpec, dataset: Dataset, paths: RunPaths, observer: Observer
) -> SweepOutcome:
    """Run a sweep, or what is missing of it.

    Uses the Ray this process is connected to, if there is one; else starts or joins one, and leaves
    it at the end.

    Raises:
        UsageError: The sweep is running already, was started with another spec, or its lanes do not
            fit the machines.
        RunError: Ray could not be started.
    """
    paths.sweep(spec.name).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(paths.lock(spec.name), timeout=0):
            return _run_locked(spec, dataset, paths, observer)
    except Timeout as error:
        raise UsageError(
            f"the sweep {spec.name!r} is being run by another process; wait for it, or choose "
            "another name"
        ) from error


def _run_locked(
    spec: SweepSpec, dataset: Dataset, paths: RunPaths, observer: Observer
) -> SweepOutcome:
    _require_same_sweep(spec, dataset, paths.spec(spec.name))
    leaderboard = Leaderboard(paths.leaderboard)
    study = SearchStudy.open(spec, paths.study(spec.name))
    known = _reconcile(study, spec.name, leaderboard)
    outcome = SweepOutcome()
    if study.has_more():
        with _ray(spec, paths.log(spec.name)):
            lanes = plan_lanes(spec.lanes, [n["Resources"] for n in ray.nodes() if n["Alive"]])
            observer.sweep_started(lanes, known)
            outcome.interrupted = _tune(spec, dataset, paths, study, lanes, leaderboard, observer)
        shutil.rmtree(paths.ray(spec.name), ignore_errors=True)
    if spec.name in leaderboard.sweeps():
        if not outcome.interrupted:
            leaderboard.compact(spec.name)
        outcome.records = leaderboard.read(spec.name)
    outcome.num_new = len(outcome.records) - len(known)
    return outcome


def _tune(
    spec: SweepSpec,
    dataset: Dataset,
    paths: RunPaths,
    study: SearchStudy,
    lanes: tuple[Lane, ...],
    leaderboard: Leaderboard,
    observer: Observer,
) -> bool:
    """Let Ray Tune work until the search has nothing more to propose; return if interrupted."""
    minutes = spec.search.minutes
    deadline_s = None if minutes is None else time.time() + 60 * minutes
    searcher = StudySearcher(
        study,
        spec,
        dataset,
        lanes,
        publish=leaderboard.append,
        observer=observer,
        deadline_s=deadline_s,
    )
    num_slots = sum(lane.slots for lane in lanes)
    # More than one pending trial, or one that waits for a GPU would keep CPU slots empty.
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(num_slots)
    trainable = tune.with_parameters(FineTuning, job=_job(spec, dataset))
    tuner = tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=make_scheduler(spec),
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=lambda trial: f"trial-{trial.config['trial_number']:06d}",
            trial_dirname_creator=lambda trial: f"trial-{trial.config['trial_number']:06d}",
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(paths.ray(spec.name)),
            verbose=0,
            stop=lambda _trial, _result: searcher.is_over(),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    )
    with _sigterm_as_interrupt():
        tuner.fit()
    if searcher.failure is not None:
        raise RunError(f"{searcher.failure}; run the same command again once that is mended")
    return searcher.num_unfinished > 0


def _job(spec: SweepSpec, dataset: Dataset) -> Job:
    return Job(
        task=spec.task,
        dataset=dataset,
        objective=spec.objective,
        rungs=rungs(spec),
        precision=spec.precision,
        inference_precision=spec.inference_precision,
        cache_folder=cache_folder(),
        cache_max_bytes=int(spec.cache.max_gb * 1024**3),
    )


def _require_same_sweep(spec: SweepSpec, dataset: Dataset, path: Path) -> None:
    """Compare the spec with what the sweep was started with, or remember it.

    Raises:
        UsageError: A part that makes trials incomparable has changed.
    """
    plain = spec.model_dump(mode="json")
    plain["dataset_fingerprint"] = dataset.fingerprint
    plain["dataset_root"] = str(dataset.root)
    if path.exists():
        before = json.loads(path.read_text())
        fixed = [*FIXED_ONCE_STARTED, "dataset_fingerprint"]
        changed = [key for key in fixed if before.get(key) != plain.get(key)]
        if changed:
            raise UsageError(
                f"the sweep {spec.name!r} was started with another {' and '.join(changed)}; "
                f"its trials cannot be compared with new ones: choose another name "
                f"(NAME= with make, --name), or delete {path.parent} and its leaderboard folder"
            )
    with publish_file(path) as partial:
        partial.write_text(json.dumps(plain, indent=2) + "\n")


def _reconcile(study: SearchStudy, sweep: str, leaderboard: Leaderboard) -> list[TrialRecord]:
    """Tell the study of rows it has not heard of: the process ended between the two."""
    known = leaderboard.read(sweep) if sweep in leaderboard.sweeps() else []
    numbers = study.numbers()
    if any(record.trial_number not in numbers for record in known):
        raise UsageError(
            f"the leaderboard has trials of {sweep!r} that its study does not know; "
            "the study was deleted: choose another name, or delete the leaderboard's folder too"
        )
    for record in known:
        study.tell(record)
    return known


@contextmanager
def _ray(spec: SweepSpec, log: Path) -> Iterator[None]:
    """Connect to Ray for the time of a sweep, its words going to a log file."""
    os.environ.update(_TUNE_ENV)
    if ray.is_initialized():
        yield
        return
    with _logged(log), nullcontext() if spec.address else guarded():
        try:
            ray.init(
                log_to_driver=False,
                logging_level=logging.ERROR,
                **(_joined(spec.address) if spec.address else _started()),
            )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise RunError(f"Ray could not be started: {error}") from error
        try:
            yield
        finally:
            ray.shutdown()


def _joined(address: str) -> dict[str, Any]:
    """Return how to join a running cluster; its workers get their environment from Ray."""
    return {"address": address, "runtime_env": {"env_vars": ALLOCATOR_ENV}}


def _started() -> dict[str, Any]:
    """Return how to start a Ray on this machine; its workers inherit this process's environment.

    Ray brings a jemalloc for its own processes along, which its workers then use as well.
    """
    os.environ.update(ALLOCATOR_ENV)
    os.environ["RAY_LD_PRELOAD_ON_WORKERS"] = "1"
    return {
        "address": "local",
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE_BYTES,
    }


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Send what Ray, Optuna and this package log to a file instead of the terminal."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in ("ray", "optuna", "sweeps", "antsbees")]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    for each in loggers:
        each.handlers, each.propagate = [handler], False
    try:
        yield
    finally:
        for each, (handlers, propagate) in zip(loggers, before, strict=True):
            each.handlers, each.propagate = handlers, propagate
        handler.close()


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, which Ray Tune ends its work for."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
