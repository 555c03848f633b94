"""What the correction of a winner's score promises; how exact it is, its study shows."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.studies.correction import simulate, summary
from results.correction import Verdict, bbc, verdict
from results.ensemble import helped
from results.evidence import Evidence, Floats
from results.racing import corrected_standard_error, is_behind
from results.ranking import wilson_interval
from results.schema import Objective
from results.selection import always, best, cheapest_of_the_best

ACCURACY, LOSS = Objective.VAL_ACCURACY, Objective.VAL_LOSS


def answers(*right: float | list[float], images: int = 60) -> tuple[Floats, np.ndarray]:
    """Two classes; for each configuration the probability of the right one, for every image."""
    rows = np.array([np.broadcast_to(r, images) for r in right], np.float64)
    return np.stack([rows, 1 - rows], axis=2), np.zeros(images, np.int64)


def guesses(num: int, images: int, accuracy: float, seed: int = 0) -> tuple[Floats, np.ndarray]:
    """Configurations that are all equally good, and differ by luck."""
    drawn = np.random.default_rng(seed).random((num, images)) < accuracy
    return answers(*np.where(drawn, 0.9, 0.1).tolist(), images=images)


def test_the_best_of_many_that_are_equal_is_brought_back_to_what_they_are() -> None:
    told = [bbc(*guesses(100, 200, 0.8, seed), ACCURACY, bootstraps=40) for seed in range(12)]
    assert np.mean([known.reported for known in told]) > 0.86
    assert np.mean([known.corrected for known in told]) == pytest.approx(0.8, abs=0.015)


def test_a_single_configuration_owes_nothing_to_being_chosen() -> None:
    told = bbc(*guesses(1, 400, 0.8), ACCURACY)
    assert told.corrected == pytest.approx(told.reported, abs=0.002)
    width = 2 * 1.96 * np.sqrt(told.reported * (1 - told.reported) / 400)
    assert told.high - told.low == pytest.approx(width, rel=0.1)


@pytest.mark.parametrize("errors", [0, 1])
def test_no_error_on_a_few_images_is_no_proof_of_there_being_none(errors: int) -> None:
    """Drawn again and again, images that are all right are all right; new ones need not be."""
    told = bbc(*answers([0.1] * errors + [0.9] * (60 - errors)), ACCURACY, bootstraps=50)
    known = wilson_interval(1 - errors / 60, 60)
    assert told.low == pytest.approx(known.low, abs=0.01)
    assert told.low < 0.95
    assert told.high == pytest.approx(known.high, abs=0.01)


def test_the_study_finds_the_truth_within_the_interval() -> None:
    outcomes = [simulate(50, 153, ACCURACY, seed) for seed in range(12)]
    reported, corrected, covered, _ = summary(outcomes)
    assert reported > 0.012
    assert abs(corrected) < 0.012
    assert covered >= 0.75


def test_the_same_seed_gives_the_same_correction() -> None:
    given = guesses(10, 50, 0.8)
    assert bbc(*given, LOSS, 50, seed=1) == bbc(*given, LOSS, 50, seed=1)
    assert bbc(*given, LOSS, 50, seed=1) != bbc(*given, LOSS, 50, seed=2)


def test_a_clear_winner_is_called_better_in_words() -> None:
    given = answers([0.9] * 57 + [0.1] * 3, [0.9] * 40 + [0.1] * 20)
    known = verdict(*given, ACCURACY, rival=1, name="the tutorial's")
    assert known.difference == pytest.approx(17 / 60, abs=0.01)
    assert 0 < known.low < known.difference < known.high
    assert known.sentence == (
        f"better than the tutorial's with probability 1.00 (+{100 * known.difference:.1f} points, "
        f"95 %: {100 * known.low:.1f} to {100 * known.high:.1f})"
    )


@pytest.mark.parametrize(
    ("images_apart", "least", "most"), [(1, 0.6, 0.8), (2, 0.8, 0.9), (8, 0.98, 1)]
)
def test_a_few_images_are_no_proof(images_apart: int, least: float, most: float) -> None:
    """Of 397 images, the winner was right on a few more and wrong on none that the rival had."""
    rival = [0.9] * (380 - images_apart) + [0.1] * (17 + images_apart)
    given = answers([0.9] * 380 + [0.1] * 17, rival, images=397)
    known = verdict(*given, ACCURACY, rival=1, name="the tutorial's")
    assert known.difference == pytest.approx(images_apart / 397, rel=0.1)
    assert least < known.probability < most or known.probability == most
    assert known.sentence.startswith("better" if images_apart == 8 else "not surely better")


def test_a_winner_by_luck_is_not_called_better() -> None:
    known = verdict(*guesses(30, 150, 0.9), ACCURACY, rival=7, name="the probe")
    assert known.probability < 0.9
    assert known.sentence.startswith("not surely better than the probe (")
    assert not known.is_convincing


def test_a_lower_loss_is_told_as_lower() -> None:
    given = answers([0.9, 0.95] * 30, [0.5, 0.6] * 30)
    known = verdict(*given, LOSS, rival=1, name="the probe")
    assert known.difference == pytest.approx(np.log(0.9 * 0.95 / 0.3) / 2, abs=0.01)
    assert f"(log-loss {known.difference:.3f} lower, 95 %: " in known.sentence


def test_a_winner_that_is_the_rival_is_called_by_its_name() -> None:
    assert verdict(*answers(0.9, 0.6), LOSS, 0, "the probe") == Verdict(
        0.5, 0.0, 0.0, 0.0, "it is the probe"
    )


def test_equal_accuracies_go_to_the_lower_loss() -> None:
    evidence = Evidence.of(*answers(0.6, 0.8, 0.7))
    assert best(ACCURACY)(evidence).tolist() == [0, 1, 0]


def test_within_one_standard_error_the_cheapest_is_chosen() -> None:
    noisy = [0.9, 0.5] * 30
    evidence = Evidence.of(*answers(noisy[::-1], [0.91, 0.51] * 30, noisy, 0.2))
    assert cheapest_of_the_best(LOSS, [3, 2, 1, 0])(evidence).tolist() == [0, 1, 0, 0]
    equal = cheapest_of_the_best(LOSS, [1, 1, 1, 1], [True, False, False, False])
    assert equal(evidence).tolist() == [1, 0, 0, 0]  # known beforehand, and as good
    promising = cheapest_of_the_best(LOSS, [1, 1, 1, 1], promises=[0.8, 0.7, 0.9, 0.9])
    assert promising(evidence).tolist() == [0, 0, 1, 0]  # the most promising of those as good
    close = [0.9, 0.5, 0.88] * 20
    evidence = Evidence.of(*answers(close, [0.5, 0.9, 0.88] * 20, 0.2))
    assert cheapest_of_the_best(LOSS, [3, 1, 0])(evidence).tolist() == [0, 1, 0]


def test_what_is_negligibly_worse_is_as_good_however_sure_that_is() -> None:
    """A near relative of the best: worse on every image, by less than anyone would notice."""
    evidence = Evidence.of(*answers([0.9] * 60, [0.897] * 60, [0.89] * 60))
    assert cheapest_of_the_best(LOSS, [2, 1, 0])(evidence).tolist() == [0, 1, 0]
    same = cheapest_of_the_best(LOSS, [0, 0, 0], [False, True, True])
    assert same(evidence).tolist() == [0, 1, 0]


def test_what_is_better_and_costs_no_more_is_not_passed_over_for_being_told_from_the_best() -> None:
    """The second is the best less a hair, steadily; the third is far worse, and unlike it."""
    best_one = [0.9, 0.5] * 30
    evidence = Evidence.of(*answers(best_one, [0.89, 0.49] * 30, [0.28, 0.99, 0.99] * 20))
    assert evidence.costs(LOSS).argsort().tolist() == [0, 1, 2]
    assert cheapest_of_the_best(LOSS, [1, 0, 0])(evidence).tolist() == [0, 1, 0]
    evidence = Evidence.of(*answers(best_one, [0.89, 0.49] * 30, [0.301, 0.99, 0.99] * 20))
    assert evidence.costs(LOSS).argsort().tolist() == [0, 2, 1]
    asked = cheapest_of_the_best(LOSS, [1, 0, 0], promises=[0.8, 0.8, 0.7])
    assert asked(evidence).tolist() == [0, 1, 0]  # as good as the third, and promising more


def test_an_ensemble_takes_those_that_complete_each_other_and_no_more() -> None:
    evidence = Evidence.of(*answers([0.9, 0.4] * 30, [0.4, 0.9] * 30, 0.3))
    weights = helped(best(LOSS))(evidence)
    assert weights.tolist() == [0.5, 0.5, 0]
    assert evidence.mixed(weights, LOSS) == pytest.approx(-np.log(0.65))
    assert evidence.mixed(weights, ACCURACY) == 1
    assert helped(best(LOSS), 1)(evidence).tolist() in ([1, 0, 0], [0, 1, 0])
    assert helped(always(2))(evidence).tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    with pytest.raises(ValueError, match="at least 1 member, got 0"):
        helped(best(LOSS), 0)


def test_one_that_no_other_helps_is_an_ensemble_of_its_own() -> None:
    assert helped(best(LOSS))(Evidence.of(*answers(0.9, 0.5))).tolist() == [1, 0]


def test_an_ensemble_is_corrected_like_a_winner() -> None:
    given = guesses(20, 100, 0.8)
    together = bbc(*given, LOSS, 50, select=helped(best(LOSS)))
    assert together.reported < bbc(*given, LOSS, 50).reported
    assert together.corrected > together.reported


def test_a_standard_error_counts_what_folds_share() -> None:
    values = [0.1, 0.2, 0.3, 0.4, 0.5]
    assert corrected_standard_error(values, 0.25) == pytest.approx(np.sqrt(0.45 * 0.025))
    with pytest.raises(ValueError, match="needs at least 2 values, got 1"):
        corrected_standard_error([0.1], 0.25)
    with pytest.raises(ValueError, match="test_to_train must be above 0, got 0"):
        corrected_standard_error(values, 0)


def test_one_that_is_behind_by_more_than_chance_is_given_up() -> None:
    leader = [0.10, 0.12, 0.11, 0.09, 0.13]
    assert is_behind([loss + 0.1 + 0.01 * i for i, loss in enumerate(leader)], leader, 0.25)
    assert not is_behind([0.12, 0.10, 0.30, 0.05, 0.16], leader, 0.25)
    assert not is_behind(leader, leader, 0.25)
    with pytest.raises(ValueError, match="both must have the same folds, got 1 and 5"):
        is_behind([0.1], leader, 0.25)


@pytest.mark.parametrize(
    ("shape", "labels", "told"),
    [
        ((2, 3), [0, 0, 0], "probabilities must be"),
        ((2, 3, 2), [0, 0], r"got \(2, 3, 2\) and \(2,\)"),
        ((2, 3, 2), [0, 0, 2], "labels must lie in 0 to 1, got 0 to 2"),
    ],
)
def test_evidence_that_does_not_fit_is_refused(
    shape: tuple[int, ...], labels: list[int], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        Evidence.of(np.full(shape, 0.5), np.array(labels))


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got -0.5 to 1.5"):
        Evidence.of(*answers(1.5))
    with pytest.raises(ValueError, match="must be one of 0 to 1, got 2"):
        verdict(*answers(0.9, 0.5), LOSS, 2, "the probe")
    with pytest.raises(ValueError, match="bootstraps must be at least 1, got 0"):
        bbc(*answers(0.9, 0.5), LOSS, 0)
    with pytest.raises(ValueError, match="needs at least 2 images, got 1"):
        bbc(*answers(0.9, 0.5, images=1), LOSS)
