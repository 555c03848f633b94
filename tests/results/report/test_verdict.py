"""The verdict says who won, by which score, against whom."""

from __future__ import annotations

import pytest

from results.report.report import make_report
from results.report.verdict import verdict_section
from results.schema import TrialStatus
from tests.results.report.sweeps_made_up import NUM_VAL, gathered, trial


def test_reported_out_of_fold_and_corrected_score_stand_side_by_side() -> None:
    known = gathered()
    assert known.winner is not None
    found = make_report(known).verdict
    assert found.trial_number == 2
    scores = {score.name: score for score in found.scores}
    assert list(scores) == [
        "winner, reported", "winner, out of fold", "winner, corrected",
        "tutorial's, reported", "tutorial's, out of fold",
        "probe, reported", "probe, out of fold",
    ]  # fmt: skip
    assert scores["winner, reported"].accuracy == 0.95
    assert scores["winner, out of fold"].accuracy == pytest.approx(35 / 36)
    assert scores["winner, corrected"].accuracy == known.winner.accuracy.corrected
    assert scores["probe, out of fold"].accuracy == pytest.approx(33 / 36)
    assert scores["tutorial's, reported"].num_images == NUM_VAL
    for score in found.scores:
        assert score.low is not None
        assert score.high is not None
        assert score.low < score.accuracy < score.high


def test_the_verdict_is_an_advice_and_a_sentence_against_each_rival() -> None:
    told = make_report(gathered()).verdict.sentences
    assert [sentence.partition(" (")[0] for sentence in told] == [
        "Take this configuration, which costs less than the probe: "
        "antsbees retrain --sweep made-up",
        "The winner is better than the tutorial's with probability 1.00",
        "The winner is not surely better than the probe",
    ]


def test_without_finals_the_best_complete_trial_wins_and_luck_is_named() -> None:
    found = make_report(gathered(folds=(), winner=None)).verdict
    assert found.trial_number == 2
    assert found.sentences[0].startswith("No finals have named the winner: it was chosen on")


def test_a_sweep_without_a_complete_trial_has_no_winner() -> None:
    failed = [trial(0, None, status=TrialStatus.FAILED)]
    made = make_report(gathered(trials=failed, folds=(), winner=None))
    assert made.verdict.trial_number is None
    assert made.verdict.sentences == ("No trial is complete yet, so there is no winner",)
    assert made.calibration is None
    assert made.answered_on is None


def test_settings_that_do_not_apply_are_left_out() -> None:
    known = gathered()
    shown = verdict_section(known, known.answers).configuration
    assert shown["backbone"] == "efficientnet_lite0"
    assert "gamma" not in shown
