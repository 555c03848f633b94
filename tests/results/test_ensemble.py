"""An ensemble is the winner and who completes it; it is offered where it is surely better."""

from __future__ import annotations

import numpy as np
import pytest

from results.winner import final_winner
from tests.results.sample_finals import folds_of, trial, two_with


def test_the_luck_of_trainings_counts_less_in_an_ensemble() -> None:
    """Two that complete each other, each of them right of all images or of none, by the fold."""
    right = [[0.9 if (i + n) % 4 < 2 else 0.2 for i in range(400)] for n in (0, 2)]
    lucky = [[p if i % 2 else p - 0.15 for i, p in enumerate(of)] for of in right]
    folds = [*folds_of(0, lucky[0]), *folds_of(1, lucky[1])]
    ends = []
    for depth in (9, 5):
        found = two_with(depth, folds)
        assert found.ensemble is not None
        assert len(found.ensemble.members) == 2
        ends.append((found.ensemble.loss.high, found.loss.high))
    (head, head_alone), (deep, deep_alone) = ends
    assert head < deep
    assert deep - head < deep_alone - head_alone


def test_an_ensemble_is_offered_where_members_complete_each_other() -> None:
    folds = [*folds_of(0, [0.9, 0.4] * 200), *folds_of(1, [0.4, 0.9] * 200)]
    folds += folds_of(2, [0.3] * 400)
    found = final_winner(folds, [trial(n) for n in range(3)], bootstraps=20)
    assert found is not None
    assert found.ensemble is not None
    assert sorted(found.ensemble.members) == [0, 1]
    assert found.ensemble.members[0] == found.trial_number
    assert found.ensemble.is_better
    assert found.ensemble.loss.reported == pytest.approx(-np.log(0.65))
    assert found.ensemble.verdict.difference > 0
    assert found.ensemble.verdict.sentence.startswith("better than the single winner")
    alone = final_winner(folds[:2], [trial(0)], bootstraps=20)
    assert alone is not None
    assert alone.ensemble is not None
    assert (alone.ensemble.members, alone.ensemble.is_better) == ((0,), False)
    fewer = final_winner(folds, [trial(n) for n in range(3)], bootstraps=20, most_members=1)
    assert fewer is not None
    assert fewer.ensemble is not None
    assert fewer.ensemble.members == (fewer.trial_number,)


def test_an_ensemble_that_is_negligibly_better_is_not_offered() -> None:
    folds = [*folds_of(0, [0.98, 0.82] * 2000), *folds_of(1, [0.82, 0.98] * 2000)]
    found = final_winner(folds, [trial(0), trial(1)], bootstraps=20)
    assert found is not None
    assert found.ensemble is not None
    assert len(found.ensemble.members) == 2
    assert found.ensemble.verdict.is_convincing
    assert (found.ensemble.is_better, found.ensemble.offer) == (False, None)


def test_an_ensemble_is_not_offered_where_it_may_as_well_be_worse() -> None:
    """It helps on a few images more than it costs on the others."""
    helps = [0.9] * 395 + [0.01] * 5
    folds = [*folds_of(0, helps), *folds_of(1, [0.82] * 400)]
    found = final_winner(folds, [trial(0), trial(1)], bootstraps=20)
    assert found is not None
    assert found.ensemble is not None
    assert found.ensemble.members == (0, 1)
    assert found.ensemble.loss.reported < found.loss.reported
    assert (found.ensemble.is_better, found.ensemble.offer) == (False, None)


def test_an_ensemble_begins_with_the_winner_of_all_repeats() -> None:
    """In the repeat it is chosen on, another one leads."""
    folds = [*folds_of(0, [0.7, 0.6] * 200), *folds_of(1, [0.8, 0.7] * 200)]
    folds += [*folds_of(0, [0.99] * 400, repeat=1), *folds_of(1, [0.6] * 400, repeat=1)]
    found = final_winner(folds, [trial(0), trial(1)], bootstraps=20)
    assert found is not None
    assert found.ensemble is not None
    assert (found.trial_number, found.ensemble.members) == (0, (0, 1))
    assert found.ensemble.loss.reported == pytest.approx(-np.log([0.75, 0.65]).mean())
    assert "it is" not in found.ensemble.verdict.sentence  # what leads in that repeat


def test_an_ensemble_is_chosen_on_the_first_repeat_that_is_whole() -> None:
    """A file of rows may be lost: trial 1 has no answers for half of the images in repeat 0."""
    trials = [trial(0), trial(1)]
    first = [*folds_of(0, [0.9, 0.4] * 200), folds_of(1, [0.4, 0.9] * 200)[0]]
    second = [folds_of(n, [0.9 - 0.2 * n] * 400, repeat=1) for n in (0, 1)]
    found = final_winner([*first, *second[0], *second[1]], trials, bootstraps=20)
    assert found is not None
    assert found.ensemble is not None
    assert found.ensemble.members == (0,)  # in repeat 0 both would complete each other
    lost = [*folds_of(0, [0.9, 0.4] * 200), *second[1]]
    found = final_winner(lost, trials, bootstraps=20)
    assert found is not None
    assert (found.num_finalists, found.ensemble) == (2, None)
