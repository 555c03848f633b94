"""What the tables promise: numbers first, and no column lost in drawing."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from results.correction import Corrected, Verdict
from results.ensemble import Ensemble
from results.errors import EmptyLeaderboard
from results.ranking import wilson_interval
from results.schema import TrialStatus
from results.winner import FinalWinner, OutOfFoldScore
from sweeps.views.tables import (
    LISTED,
    best_table,
    best_values,
    configuration,
    leaderboard_rows,
    leaderboard_tables,
    number,
    why_no_winner,
)
from tests.sweeps.sweep_fakes import row

TUTORIAL = row(0, 0.9, first="tutorial", val_loss=0.5, backbone="lite0")
BEST = row(3, 146 / 153, lr=0.0123456)
ROWS = [TUTORIAL, BEST, row(1, None, status=TrialStatus.FAILED, val_loss=None, lr=None),
        row(2, 0.5, status=TrialStatus.STOPPED)]  # fmt: skip


def drawn(table: RenderableType, width: int = 200) -> list[str]:
    out = StringIO()
    Console(file=out, width=width).print(table)
    return out.getvalue().splitlines()


def test_the_best_comes_with_the_tutorial_beside_it() -> None:
    values = best_values(ROWS)
    interval = wilson_interval(146 / 153, 153)
    assert (values["trial_number"], values["score"]) == (3, 146 / 153)
    assert values["val_accuracy_95"] == [interval.low, interval.high]
    assert values["trials"] == {"complete": 2, "stopped": 1, "unfinished": 0, "failed": 1}
    assert values["configuration"] == configuration(BEST)
    tutorial = values["tutorial"]
    assert (tutorial["trial_number"], tutorial["val_accuracy"]) == (0, 0.9)
    assert len(tutorial["val_accuracy_95"]) == 2
    assert json.loads(json.dumps(values)) == values


NAMED = FinalWinner(
    trial_number=0,
    num_images=397,
    accuracy=Corrected(reported=0.96, corrected=0.95, low=0.93, high=0.97),
    loss=Corrected(reported=0.1, corrected=0.12, low=0.08, high=0.16),
    scores={0: OutOfFoldScore(0.96, 0.1), 3: OutOfFoldScore(0.9, 0.2)},
    verdicts=(Verdict(0.98, 0.016, 0.003, 0.03, "better than the tutorial's"),),
    advice="take this configuration: antsbees retrain",
    ensemble=Ensemble(
        sweep="test",
        members=(0, 3),
        accuracy=Corrected(0.97, 0.96, 0.94, 0.98),
        loss=Corrected(0.09, 0.1, 0.07, 0.14),
        verdict=Verdict(0.97, 0.02, 0.0, 0.04, "better than the single winner"),
    ),
)


def test_the_winner_of_finals_is_the_best_with_its_scores_side_by_side() -> None:
    values = best_values(ROWS, NAMED)
    assert (values["trial_number"], values["score"]) == (0, 0.9)
    assert values["finals"]["out_of_fold"] == {"accuracy": 0.96, "loss": 0.1}
    assert values["finals"]["corrected"]["accuracy_95"] == [0.93, 0.97]
    assert json.loads(json.dumps(values)) == values
    lines = [line.split() for line in drawn(best_table(values), width=100)]
    assert ["out", "of", "fold", "96.0%", "0.1000"] in lines
    corrected = ["corrected", "for", "the", "choice", "95.0%", "93.0%", "-", "97.0%", "0.1200"]
    assert corrected in lines
    assert ["Better", "than", "the", "tutorial's."] in lines
    told = [line.strip() for line in drawn(best_table(values))]
    assert "Take this configuration: antsbees retrain" in told
    assert (
        "An ensemble of 2 would be better than the single winner: "
        "antsbees retrain --sweep test --ensemble 2"
    ) in told
    assert any(line.split()[:2] == ["backbone", "lite0"] for line in told)


def test_a_winner_that_was_judged_as_it_is_kept_is_told_to_be() -> None:
    scores = {0: OutOfFoldScore(0.96, 0.1, soup_size=3)}
    told = drawn(best_table(best_values(ROWS, replace(NAMED, scores=scores))), width=200)
    assert any(line.strip().endswith("as it is kept: the mean of 3 trainings") for line in told)
    single = {0: OutOfFoldScore(0.96, 0.1, soup_size=1)}
    told = drawn(best_table(best_values(ROWS, replace(NAMED, scores=single))), width=200)
    assert not any("as it is kept" in line for line in told)


def test_the_score_of_the_tutorials_on_the_same_folds_stands_under_its_own() -> None:
    tutorial = row(3, 0.8, first="tutorial")
    values = best_values([row(0, 0.9), tutorial], NAMED)
    assert values["tutorial"]["out_of_fold"] == {"accuracy": 0.9, "loss": 0.2}
    lines = [line.split() for line in drawn(best_table(values), width=100)]
    assert ["out", "of", "fold", "90.0%", "0.2000"] in lines


def test_an_ensemble_that_may_as_well_be_worse_is_not_offered() -> None:
    assert NAMED.ensemble is not None
    unsure = replace(NAMED.ensemble.verdict, probability=0.8)
    named = replace(NAMED, ensemble=replace(NAMED.ensemble, verdict=unsure))
    told = drawn(best_table(best_values(ROWS, named)), width=200)
    assert not [line for line in told if "ensemble" in line]


def test_finals_of_which_too_much_is_lost_have_no_ensemble() -> None:
    values = best_values(ROWS, replace(NAMED, ensemble=None))
    assert values["finals"]["ensemble"] is None
    assert "ensemble" not in drawn(best_table(values))


def test_without_finals_the_best_is_that_of_the_leaderboard() -> None:
    assert best_values(ROWS)["finals"] is None


def test_without_a_tutorial_the_best_stands_alone() -> None:
    assert best_values([BEST])["tutorial"] is None
    unscored = row(0, None, first="tutorial", status=TrialStatus.FAILED)
    assert best_values([BEST, unscored])["tutorial"] is None


def test_without_a_complete_trial_there_is_no_best() -> None:
    with pytest.raises(EmptyLeaderboard, match="no trial is complete yet"):
        best_values(ROWS[2:])


def test_a_configuration_has_only_the_settings_that_apply() -> None:
    assert configuration(BEST) == {
        "lr": 0.0123456, "momentum": 0.9, "weight_decay": 0.0001, "batch_size": 32,
        "label_smoothing": 0.0, "frozen_stages": 9, "schedule": "cosine", "final_fraction": 0.0,
        "warmup_epochs": 0, "epochs": 10,
    }  # fmt: skip


def test_the_best_is_drawn_with_its_score_and_configuration() -> None:
    lines = drawn(best_table(best_values(ROWS)), width=100)
    head = "Best of sweep test (2 complete, 1 stopped, 1 failed; dataset photos): trial 3"
    assert lines[0].strip() == head
    cells = [line.split() for line in lines]
    assert ["this", "configuration", "95.4%", "90.9%", "-", "97.8%", "0.1234"] in cells
    assert any(line[:3] == ["the", "tutorial's", "90.0%"] for line in cells)
    assert "on 153 validation images" in [line.strip() for line in lines]
    for name, value in configuration(BEST).items():
        assert [name, number(value)] in cells
    assert ["epochs", "10"] in cells


def test_every_column_of_the_leaderboard_is_drawn() -> None:
    sweep = "a-name-of-a-sweep-that-is-as-long-as-a-name-may-be-64-characters"
    lines = drawn(leaderboard_tables([row(n, 0.9, sweep=sweep) for n in range(3)], top=20))
    assert lines[0].strip() == "dataset photos (01234567), objective val_accuracy"
    assert lines[1].split() == [
        "rank", "sweep", "trial", "status", "score", "loss", "epochs", "lr", "mom.", "decay",
        "batch", "smooth", "frozen", "schedule", "lane", "seconds",
    ]  # fmt: skip
    assert lines[2].split() == [
        "1", sweep, "0", "complete", "0.9", "0.1234", "10", "0.01", "0.9", "0.0001", "32", "0",
        "9", "cosine", "cpu", "12.5",
    ]  # fmt: skip
    assert len(lines) == 5


def test_several_backbones_are_told_apart_and_a_log_loss_has_its_accuracy() -> None:
    rows = [row(n, 0.1, objective="val_loss", val_accuracy=0.9, backbone=f"n{n}") for n in range(2)]
    lines = drawn(leaderboard_tables(rows, top=20))
    assert lines[1].split()[4:8] == ["score", "accuracy", "backbone", "epochs"]
    assert lines[2].split()[4:8] == ["0.1", "0.9", "n0", "10"]


def test_what_cannot_be_compared_is_drawn_apart() -> None:
    others = [row(0, dataset="cats", dataset_fingerprint="f" * 16), row(1, objective="val_loss")]
    lines = [line.strip() for line in drawn(leaderboard_tables([*ROWS, *others], top=20))]
    titles = [line for line in lines if line.startswith("dataset ")]
    assert titles == [
        "dataset photos (01234567), objective val_accuracy",
        "dataset cats (ffffffff), objective val_accuracy",
        "dataset photos (01234567), objective val_loss",
    ]


@pytest.mark.parametrize(("top", "shown"), [(1, 1), (3, 3), (20, 4)])
def test_the_top_rows_are_shown_best_first(top: int, shown: int) -> None:
    numbers = [values["trial_number"] for values in leaderboard_rows(ROWS, top)]
    assert numbers == [3, 0, 2, 1][:shown]
    assert len(drawn(leaderboard_tables(ROWS, top))) == 2 + shown


def test_rows_as_plain_values_have_the_same_columns_everywhere() -> None:
    rows = leaderboard_rows([*ROWS, row(0, dataset="cats")], top=20)
    columns = {"rank", "dataset", "objective", "dataset_fingerprint", *LISTED}
    assert len(rows) == 5
    assert all(set(values) == columns for values in rows)
    assert [values["rank"] for values in rows] == [1, 2, 3, 4, 1]
    assert json.loads(json.dumps(rows)) == rows
    assert rows[3]["status"] == "failed"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.0001, "0.0001"), (0.0123456, "0.01235"), (32, "32"), ("cosine", "cosine"),
     (0.0, "0"), (1e-7, "1e-07")],
)  # fmt: skip
def test_numbers_are_written_with_few_digits(value: Any, text: str) -> None:
    assert number(value) == text


def test_a_sweep_of_which_nothing_came_to_its_end_says_how_its_trials_ended() -> None:
    rows = [row(0, status=TrialStatus.STOPPED), row(1, status=TrialStatus.UNFINISHED)]
    assert why_no_winner(rows, Path("driver.log")) == (
        "no trial came to its end: 1 were stopped, 1 are unfinished; see driver.log"
    )
