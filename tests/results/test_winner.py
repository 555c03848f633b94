"""The winner of finals is the best on the folds, and within one standard error the cheapest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from results.choice import KnownBackbone
from results.finals import out_of_fold
from results.winner import final_winner
from tests.results.sample_finals import IMAGES, folds_of, steady, trial, two_with


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
    assert found.advice == (
        "take the probe, which costs less to train and to use: "
        "antsbees retrain --sweep ants --trial 1"
    )


def test_intervals_of_what_trains_stages_count_how_far_its_trainings_lie_apart() -> None:
    """Right more often on one fold than on the other, it may be either, were it trained again; a
    head comes to the same every time, so that only the images count."""
    by_fold = [0.9 if (i % 2 and i % 20) or i % 10 == 0 else 0.4 for i in range(400)]
    folds = [*folds_of(0, by_fold), *folds_of(1, by_fold)]
    widths: dict[int, list[float]] = {}
    for depth in (9, 5):
        found = two_with(depth, folds)
        assert found.ensemble is not None
        loser = found.score_of(1 - found.trial_number)
        assert loser is not None
        winner, ensemble = found.accuracy, found.ensemble.accuracy
        ends = [(score.low, score.high) for score in (winner, ensemble)]
        ends.append((loser.low, loser.high))
        assert all(0 <= low < high <= 1 for low, high in ends)
        widths[depth] = [high - low for low, high in ends]
    for head, deep in zip(widths[9], widths[5], strict=True):
        assert head < 0.15
        assert deep > 0.5


def test_a_finalist_says_of_how_many_trainings_its_score_is() -> None:
    folds = [*folds_of(0, steady(0.6)), *folds_of(1, steady(0.9))]
    folds = [replace(fold, soup_size=3 if fold.trial_number else None) for fold in folds]
    found = final_winner(folds, [trial(0), trial(1)], bootstraps=20)
    assert found is not None
    told = [found.score_of(number) for number in (0, 1)]
    assert [score.soup_size for score in told if score is not None] == [None, 3]
    assert found.soup_size == 3


def test_of_several_probes_the_best_is_the_rival_and_is_named() -> None:
    folds = [f for n, p in enumerate((0.8, 0.7, 0.95)) for f in folds_of(n, steady(p))]
    probes = [replace(trial(n, first="probe"), backbone=f"lite{n}") for n in range(2)]
    found = final_winner(folds, [*probes, trial(2, 5)], bootstraps=50)
    assert found is not None
    (verdict,) = found.verdicts
    assert "the probe on lite0" in verdict.sentence


def test_a_rival_gives_way_only_to_what_is_surely_better() -> None:
    """What is 1.1 standard errors better wins over a trial, but not over the probe."""
    apart = np.random.default_rng(2).normal(0, 0.05, IMAGES)
    apart += 1.1 * apart.std() / np.sqrt(IMAGES) - apart.mean()
    folds = [*folds_of(0, [0.8] * IMAGES), *folds_of(1, list(0.8 * np.exp(apart)))]
    won, advice = [], ""
    for first in (None, "probe"):
        found = final_winner(folds, [trial(0, 9, first), trial(1, 5)], bootstraps=20)
        assert found is not None
        won.append(found.trial_number)
        advice = found.advice
    assert won == [1, 0]
    assert advice == (
        "take the probe: nothing else is surely better: antsbees retrain --sweep ants"
    )


def test_a_winner_is_told_as_what_was_chosen_and_not_as_what_a_careful_choice_is_worth() -> None:
    """On many a draw of the images a careful choice falls back on the head, or on the probe: what
    is surely better would be said not to be, and less would be told of it than it is worth."""
    apart = np.random.default_rng(4).normal(0, 0.3, 200)
    apart += 2.0 * apart.std() / np.sqrt(len(apart)) - apart.mean()
    heads = [*folds_of(0, [0.6] * 200), *folds_of(1, [0.6] * 200)]
    folds = [*heads, *folds_of(2, list(np.minimum(0.6 * np.exp(apart), 1)))]
    tried = [trial(0, first="probe"), trial(1), trial(2, 5)]
    trials = [replace(known, objective="val_loss") for known in tried]
    found = final_winner(folds, trials, bootstraps=200)
    assert found is not None
    assert found.trial_number == 2
    (verdict,) = found.verdicts
    assert verdict.is_convincing
    assert found.advice.startswith("take this configuration")
    assert found.loss.corrected == pytest.approx(found.loss.reported, abs=0.01)


def test_what_is_as_good_and_cheaper_than_a_rival_is_to_be_taken() -> None:
    rival = replace(trial(0, first="tutorial"), epochs=25)
    folds = [*folds_of(0, steady(0.8)), *folds_of(1, steady(0.8))]
    found = final_winner(folds, [rival, trial(1)], bootstraps=20)
    assert found is not None
    assert found.trial_number == 1
    assert found.advice.startswith("take this configuration, which costs less than the tutorial's")


def test_of_probes_on_networks_of_about_one_size_the_better_wins() -> None:
    """Not the one that sees a little fewer pixels; one that sees far fewer does."""
    near = np.random.default_rng(1).normal(0, 0.02, IMAGES)
    better = list(np.array(steady(0.88)) + near - near.mean() + 0.001)
    folds = [*folds_of(0, steady(0.88)), *folds_of(1, better)]
    won = []
    for size in (260, 448):
        probes = [
            replace(trial(0, first="probe"), backbone="small", image_size=224),
            replace(trial(1, first="probe"), backbone="large", image_size=size),
        ]
        found = final_winner(folds, probes, bootstraps=20)
        assert found is not None
        won.append(found.trial_number)
    assert won == [1, 0]


def test_what_trains_stages_costs_more_also_where_its_backbone_has_no_head_among_finalists() -> (
    None
):
    """Of two that are as good, the head wins, not the deep one of the other network."""
    near = np.random.default_rng(1).normal(0, 0.02, IMAGES)
    better = list(np.array(steady(0.88)) + near - near.mean() + 0.001)
    folds = [*folds_of(0, steady(0.88)), *folds_of(1, better)]
    trials = [trial(0, 9), replace(trial(1, 3), backbone="lite2", epochs=1)]
    networks = {"lite0": KnownBackbone(9, 0.75), "lite2": KnownBackbone(9, 0.78)}
    found = final_winner(folds, trials, bootstraps=20, backbones=networks)
    assert found is not None
    assert found.trial_number == 0


def test_a_soup_costs_as_much_as_all_of_its_trainings() -> None:
    """Of two that are as good, the one training wins, though its epochs are more."""
    near = np.random.default_rng(1).normal(0, 0.02, IMAGES)
    better = list(np.array(steady(0.88)) + near - near.mean() + 0.001)
    folds = [*folds_of(0, steady(0.88)), *folds_of(1, better)]
    for frozen, soup_size, wins in ((7, 3, 0), (7, 1, 1), (9, 3, 1)):
        trials = [
            replace(trial(0, frozen), epochs=5),
            replace(trial(1, frozen), epochs=4, soup_size=soup_size),
        ]
        networks = {"lite0": KnownBackbone(9, 0.75)}
        found = final_winner(folds, trials, bootstraps=20, backbones=networks)
        assert found is not None
        assert found.trial_number == wins


def test_of_networks_that_cannot_be_told_apart_the_one_that_was_better_before_wins() -> None:
    near = np.random.default_rng(1).normal(0, 0.02, IMAGES)
    better = list(np.array(steady(0.88)) + near - near.mean() + 0.001)
    folds = [*folds_of(0, steady(0.88)), *folds_of(1, better)]
    probes = [
        replace(trial(0, first="probe"), backbone="lite2", weights="default"),
        replace(trial(1, first="probe"), backbone="lite1", weights="default"),
    ]
    networks = {"lite1": KnownBackbone(9, 0.75), "lite2": KnownBackbone(9, 0.78)}
    won = []
    for weights in ("default", "none"):
        tried = [replace(probe, weights=weights) for probe in probes]
        found = final_winner(folds, tried, bootstraps=20, backbones=networks)
        assert found is not None
        won.append(found.trial_number)
        told = "take the probe on lite2, whose network was better on ImageNet: nothing else is"
        assert found.advice.startswith(told) == (weights == "default")
    assert won == [0, 1]  # weights of no pre-training promise nothing


def test_all_finalists_have_their_own_score() -> None:
    folds = [*folds_of(0, steady(0.6)), *folds_of(1, steady(0.9))]
    found = final_winner(folds, [trial(0), trial(1)], bootstraps=20)
    assert found is not None
    assert found.scores[0].loss == pytest.approx(-np.log(0.6), abs=0.01)
    assert found.loss.reported == pytest.approx(found.scores[1].loss)


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
