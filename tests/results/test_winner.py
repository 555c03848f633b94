"""The winner of finals is the best on the folds, and within one standard error the cheapest."""

from __future__ import annotations

import numpy as np
import pytest

from results.finals import FoldRecord, out_of_fold
from results.schema import TrialRecord
from results.winner import final_winner
from tests.results.sample_rows import full_row

IMAGES = 40


def folds_of(
    number: int, right: list[float], repeat: int = 0, num_folds: int = 2
) -> list[FoldRecord]:
    """Return the folds of a trial that gives each image's class, 0, so much probability."""
    rows = []
    for fold in range(num_folds):
        images = list(range(fold, len(right), num_folds))
        given = [[right[i], 1 - right[i]] for i in images]
        rows.append(
            FoldRecord(
                sweep="s", trial_number=number, repeat=repeat, fold=fold, num_folds=num_folds,
                score=0.5, accuracy=0.5, loss=0.5, seconds=1.0, images=images,
                labels=[0] * len(images), probabilities=given,
            )
        )  # fmt: skip
    return rows


def trial(number: int, frozen_stages: int = 9, first: str | None = None) -> TrialRecord:
    return full_row(number, frozen_stages=frozen_stages, first=first, epochs=10)


def steady(mean: float) -> list[float]:
    return list(np.clip(np.random.default_rng(0).normal(mean, 0.01, IMAGES), 0, 1))


def test_the_best_log_loss_wins() -> None:
    folds = [*folds_of(0, steady(0.6)), *folds_of(1, steady(0.9))]
    found = final_winner(folds, [trial(0), trial(1)], bootstraps=50)
    assert found is not None
    assert (found.trial_number, found.num_finalists, found.num_images) == (1, 2, IMAGES)
    assert found.accuracy.reported == 1.0
    assert found.loss.reported == pytest.approx(-np.log(0.9), abs=0.01)


def test_within_a_standard_error_the_one_with_most_stages_frozen_wins() -> None:
    jitter = np.random.default_rng(1).normal(0, 0.02, IMAGES)
    near = list(np.array(steady(0.88)) + jitter - jitter.mean() + 0.001)
    folds = [*folds_of(0, near), *folds_of(1, [p - 0.001 for p in steady(0.88)])]
    found = final_winner(folds, [trial(0, 5), trial(1, 9)], bootstraps=50)
    assert found is not None
    assert found.trial_number == 1


def test_a_winner_is_told_how_it_compares_with_the_tutorials_and_the_probe() -> None:
    folds = [f for n, p in enumerate((0.4, 0.85, 0.86)) for f in folds_of(n, steady(p))]
    trials = [trial(0, first="tutorial"), trial(1, first="probe"), trial(2, 5)]
    found = final_winner(folds, trials, bootstraps=50)
    assert found is not None
    told = [verdict.sentence for verdict in found.verdicts]
    assert told[0].startswith("better than the tutorial's with probability 1.00 (+100.0 points")
    assert told[1].startswith("no better than the probe (+0.0 points")
    assert told[1].endswith("take the probe")


def test_more_repeats_do_not_make_a_model_better() -> None:
    """The mean of several models' answers has a lower log-loss than any one of them."""
    up, down = [0.9, 0.5] * 20, [0.5, 0.9] * 20
    folds = [*folds_of(0, up), *folds_of(1, up), *folds_of(1, down, repeat=1)]
    losses = out_of_fold(folds).evidence.losses.mean(axis=1)
    assert losses[0] == pytest.approx(losses[1])


def test_who_did_not_answer_for_every_image_cannot_win() -> None:
    folds = [*folds_of(0, steady(0.6)), folds_of(1, steady(0.9))[0]]
    found = final_winner(folds, [trial(0), trial(1)], bootstraps=20)
    assert found is not None
    assert (found.trial_number, found.num_finalists) == (0, 1)
    assert final_winner(folds[:1], [trial(0)], bootstraps=20) is None
    assert final_winner([], [trial(0)]) is None


def test_folds_of_another_division_and_of_unknown_trials_do_not_count() -> None:
    folds = [
        *folds_of(0, steady(0.6), num_folds=4),
        *folds_of(1, steady(0.9)),
        *folds_of(9, steady(0.99), num_folds=4),
    ]
    found = final_winner(folds, [trial(0), trial(1)], bootstraps=20)
    assert found is not None
    assert (found.trial_number, found.num_finalists) == (0, 1)
