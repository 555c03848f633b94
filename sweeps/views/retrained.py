"""Says what came out of training a row again: whether its numbers did, and how far seeds differ."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING

from results.ensemble import Ensemble
from results.schema import TrialRecord
from results.winner import Score
from sweeps.rows import as_kept
from sweeps.views.model_card import fallen_apart

if TYPE_CHECKING:
    from sweeps.retraining import Retrained


def told(result: Retrained, record: TrialRecord) -> Iterator[str]:
    """Say what came out, a sentence a line."""
    if result.other_weights:
        yield (
            f"{_weights(record)} are not those of the trial: their hash differs from the row's, so "
            "other numbers than in the leaderboard are to be expected."
        )
    if result.on_all:
        yield learnt_from_all(result.num_learnt, result.score, record)
        if result.soup_size < (made := as_kept(record).soup_size or 1):
            yield fallen_apart(made)
        elif result.soup_size > (record.soup_size or 1):
            known = None if result.score is None else result.score.soup_size or 1
            of_one = "; the score is that of one" if known == 1 else ""
            yield (
                f"It is the mean of {result.soup_size} trainings, which is surer than one, and as "
                f"fast to use{of_one}."
            )
    elif result.reproduced:
        yield (
            f"Reproduced exactly: validation accuracy {record.val_accuracy:.4f}, "
            f"loss {record.val_loss:.6f}, the same numbers as in the leaderboard."
        )
    elif result.reproduced is False:
        yield (
            "Not the same numbers as in the leaderboard, accuracy "
            f"{record.val_accuracy:.4f}, loss {record.val_loss:.6f}{_reason(result)}."
        )
    elif result.accuracies and record.seed in result.last_epochs:
        yield f"Not comparable bit by bit: the trial ran on {record.device}."
    for seed, message in result.diverged.items():
        yield f"Seed {seed} gave no model: {message}."
    accuracies = list(result.accuracies.values())
    if len(accuracies) > 1:
        mean, spread = statistics.fmean(accuracies), statistics.stdev(accuracies)
        yield (
            f"Over {len(accuracies)} seeds: validation accuracy {mean:.4f} ± {spread:.4f} "
            f"(mean and standard deviation), from {min(accuracies):.4f} to {max(accuracies):.4f}"
        )
    yield f"Model: {result.folder}"


def _weights(record: TrialRecord) -> str:
    if record.weights in (None, "default", "none"):
        return f"The weights of {record.backbone}"
    return f"The weights in {record.weights}"


def _reason(result: Retrained) -> str:
    """Name what is known to differ; what differs without a trace is the machine."""
    if result.other_weights:
        return ""
    if result.other_versions:
        return f": {', '.join(result.other_versions)}"
    return ": this machine does not compute as that of the trial did"


def told_of_ensemble(ensemble: Ensemble, score: Score | None) -> Iterator[str]:
    """Say what an ensemble is, and whether it was worth it, a sentence a line."""
    members = ", ".join(f"trial {trial}" for trial in ensemble.members)
    if len(ensemble.members) < 2:
        yield f"No other finalist helps {members}: it answers alone."
        return
    yield f"An ensemble of {members}, {ensemble.verdict.sentence}."
    if score is not None:
        yield f"Its members learnt from all images. Trained on folds they had, {score.sentence}."


def learnt_from_all(num_learnt: int, score: Score | None, record: TrialRecord) -> str:
    """Say which score a model has that learnt from the validation images too."""
    if score is not None:
        return (
            f"Learnt from all {num_learnt} images, so none is left to score this model on. "
            f"Trained on folds, the same configuration had, {score.sentence}."
        )
    return (
        f"Learnt from all {num_learnt} images, the validation images too, so this model has no "
        f"score: the row's, accuracy {record.val_accuracy:.4f}, is that of a model that learnt "
        "from train alone."
    )
