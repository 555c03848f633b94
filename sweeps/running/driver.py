"""Runs a sweep, or what is missing of it: one Ray, one study, one leaderboard."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout
from ray import tune
from ray.tune.schedulers import TrialScheduler

from antsbees.data.datasets import Dataset
from results.leaderboard import Leaderboard
from results.schema import TrialRecord
from sweeps.errors import RunError, UsageError
from sweeps.liveness import beating
from sweeps.paths import RunPaths, state_file
from sweeps.running import cluster
from sweeps.running.finals import run_finals
from sweeps.running.jobs import job_of
from sweeps.running.lanes import Place, plan_lanes, unused
from sweeps.running.observer import Observer
from sweeps.running.pace import Pace, alike
from sweeps.running.quiet import SaysNothing
from sweeps.running.resuming import clear_states, reconcile, require_same_sweep
from sweeps.running.searcher import StudySearcher
from sweeps.running.stopping import make_scheduler
from sweeps.running.trainable import KEPT_EVERY_S, FineTuning
from sweeps.running.watch import Watch, attend
from sweeps.running.workers import MindsTrials
from sweeps.search.study import SearchStudy
from sweeps.spec.models import SweepSpec


@dataclass
class SweepOutcome:
    """How a call of ``run_sweep`` ended.

    Args:
        num_new: Trials with a row that had none before this call, or one to be replaced.
        interrupted: It was ended by a signal; calling again goes on.
        closed: Lanes that the search closed.
    """

    records: list[TrialRecord] = field(default_factory=list)
    num_new: int = 0
    interrupted: bool = False
    closed: frozenset[Place] = frozenset()


def run_sweep(
    spec: SweepSpec, dataset: Dataset, paths: RunPaths, observer: Observer
) -> SweepOutcome:
    """Run a sweep, or what is missing of it.

    Raises:
        UsageError: The sweep is running already, was started with another spec, or its lanes do not
            fit the machines.
        RunError: Ray could not be started, or the sweep ended before its time; what it has is in
            the leaderboard.
    """
    cluster.require_usable(spec.address)
    paths.sweep(spec.name).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(paths.lock(spec.name), timeout=0), beating(paths, spec.name):
            return _run_locked(spec, dataset, paths, observer)
    except Timeout as error:
        raise UsageError(
            f"the sweep {spec.name!r} is being run by another process; wait for it, or choose "
            "another name"
        ) from error


def _run_locked(
    spec: SweepSpec, dataset: Dataset, paths: RunPaths, observer: Observer
) -> SweepOutcome:
    if not paths.spec(spec.name).exists():  # finals of a sweep of that name that is gone
        shutil.rmtree(paths.finals / spec.name, ignore_errors=True)
    require_same_sweep(spec, dataset, paths.spec(spec.name))
    leaderboard = Leaderboard(paths.leaderboard)
    study = SearchStudy.open(spec, paths.study(spec.name))
    known = reconcile(study, spec.name, leaderboard)
    clear_states(paths.unfinished(spec.name), study.open_numbers())
    outcome = SweepOutcome()
    ended = None
    with ExitStack() as connection:
        if study.has_more():
            connection.enter_context(cluster.connected(spec.address, paths.log(spec.name)))
            ended = _search(spec, dataset, paths, study, known, observer, outcome)
        if spec.name in leaderboard.sweeps():
            outcome.records = leaderboard.read(spec.name)
        outcome.num_new = sum(not r.is_open for r in outcome.records) - len(known)
        if ended is not None:
            raise RunError(f"{ended} ({_told(outcome)})")
        if spec.finals is not None and not outcome.interrupted:
            outcome.interrupted = run_finals(
                spec, dataset, paths, outcome.records, observer, outcome.closed
            )
    return outcome


def _search(
    spec: SweepSpec,
    dataset: Dataset,
    paths: RunPaths,
    study: SearchStudy,
    known: list[TrialRecord],
    observer: Observer,
    outcome: SweepOutcome,
) -> str | None:
    """Run trials until the search has no more; return why it ended early, if it did."""
    leaderboard = Leaderboard(paths.leaderboard)
    nodes = cluster.AliveNodes()
    observer.sweep_started(plan_lanes(spec.lanes, nodes()), known)
    if (sentence := unused(spec.lanes, nodes())) is not None:
        observer.noted(sentence)
    rows = leaderboard.read(spec.name, heavy=True) if known else []
    unfinished = paths.unfinished(spec.name)
    searcher = StudySearcher(
        study,
        spec,
        dataset,
        lanes=cluster.ClusterLanes(spec.lanes, nodes, pinned=spec.address is not None),
        publish=_publish(leaderboard, unfinished),
        observer=observer,
        deadline_s=_deadline_s(spec),
        pace=_pace(spec, dataset, leaderboard),
        known=rows,
    )
    scheduler = make_scheduler(spec, rows)
    if isinstance(scheduler, MindsTrials):
        scheduler.overseer = searcher
    tuner = _tuner(spec, dataset, paths, searcher, scheduler)
    watch = Watch(searcher, cluster.head_address(), cluster.answers)
    ended = attend(tuner.fit, searcher, watch)
    outcome.interrupted, outcome.closed = searcher.interrupted, searcher.closed
    shutil.rmtree(paths.ray(spec.name), ignore_errors=True)
    clear_states(unfinished, study.open_numbers())
    return ended


def _publish(leaderboard: Leaderboard, unfinished: Path) -> Callable[[TrialRecord], None]:
    """Return what puts a row on disk, and deletes the state of a trial that needs it no more."""

    def publish(record: TrialRecord) -> None:
        leaderboard.append(record)
        if not record.is_open:
            with suppress(OSError):
                state_file(unfinished, record.trial_number).unlink()

    return publish


def _pace(spec: SweepSpec, dataset: Dataset, leaderboard: Leaderboard) -> Pace:
    """Return what earlier sweeps on the same images tell of how long epochs take."""
    pace = Pace(len(dataset.train))
    rows = leaderboard.read() if leaderboard.sweeps() else []
    pace.learn_rows(alike(rows, spec, dataset))
    return pace


def _tuner(
    spec: SweepSpec,
    dataset: Dataset,
    paths: RunPaths,
    searcher: StudySearcher,
    scheduler: TrialScheduler,
) -> tune.Tuner:
    unfinished = paths.unfinished(spec.name)
    job = replace(job_of(spec, dataset), unfinished=unfinished, kept_every_s=KEPT_EVERY_S)
    return tune.Tuner(
        tune.with_parameters(FineTuning, job=job),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=scheduler,
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=_folder_name,
            trial_dirname_creator=_folder_name,
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(paths.ray(spec.name)),
            verbose=0,
            callbacks=[SaysNothing()],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    )


def _folder_name(trial: tune.experiment.Trial) -> str:
    return f"trial-{trial.config['number']:06d}-{trial.trial_id}"


def _deadline_s(spec: SweepSpec) -> float | None:
    minutes = spec.search.minutes
    return None if minutes is None else time.time() + 60 * minutes


def _told(outcome: SweepOutcome) -> str:
    kept = sum(not record.is_open for record in outcome.records)
    return (
        f"{kept} {'trial is' if kept == 1 else 'trials are'} in the leaderboard; run the same "
        "command again to go on"
    )
