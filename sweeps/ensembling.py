"""Trains the members of an ensemble again, and writes them as one model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from antsbees import __version__
from antsbees.bench import Bench
from antsbees.checkpoints import save_ensemble
from antsbees.training import EpochMetrics
from results.winner import Score
from sweeps.retraining import Asked, bench_for, description_of, epochs_of, result_of
from sweeps.rows import execution_of, task_of
from sweeps.views.model_card import ensemble_card

OnEpoch = Callable[[int, EpochMetrics], None]
"""Called with the member's trial and the metrics of every epoch."""


def retrain_ensemble(
    members: Sequence[Asked], score: Score | None, folder: Path, report: OnEpoch
) -> None:
    """Train every member once, and save all of them as one model.

    Args:
        score: What the ensemble is expected to score on new images, if that is known.

    Raises:
        UsageError: A row does not say what is needed.
        WeightsError: The pre-trained weights cannot be had.
        DivergedError: The loss of a member is no longer finite.
    """
    benches: dict[str, Bench] = {}
    saved = []
    for asked in members:
        record = asked.record
        name = repr((task_of(record), execution_of(record)))
        bench = benches[name] = benches.get(name) or bench_for(asked)
        training = bench.training(asked.config, asked.train_on)
        curve = list(epochs_of(training, _as_member(record.trial_number, report)))
        if asked.on_all:
            training.settle()
        result = result_of(asked, folder, bench, {record.seed: curve}, {})
        description = description_of(asked, result, bench, training)
        saved.append((training.network(), description))
    first = members[0]
    metrics = {
        "trained_on_val": first.on_all,
        "num_learnt": saved[0][1].metrics["num_learnt"],
        "expected": None if score is None else asdict(score),
    }
    provenance = {
        "sweep": first.record.sweep,
        "trial_numbers": [asked.record.trial_number for asked in members],
        "code_version": __version__,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    described = [description for _, description in saved]
    save_ensemble(folder, saved, metrics, provenance, ensemble_card(described, metrics, provenance))


def _as_member(trial_number: int, report: OnEpoch) -> OnEpoch:
    """Return a report that names the trial in place of the seed."""
    return lambda _, metrics: report(trial_number, metrics)
