"""What was answered for each image."""

from __future__ import annotations

import numpy as np
import pytest

from results.report import answers
from results.report.answers import Answered
from results.report.report import make_report
from tests.results.report.sweeps_made_up import CLASSES, NUM_TRAIN, NUM_VAL, gathered, trial


def test_confusions_are_counted_out_of_fold() -> None:
    made = make_report(gathered())
    assert made.answered_on == "out of fold, 36 images"
    table = {(cell.truth, cell.predicted): cell.count for cell in made.confusion}
    assert len(table) == 9
    assert sum(table.values()) == 36
    assert table["bees", "wasps"] == 1  # image 1
    assert table["bees", "bees"] == 11


def test_the_images_that_two_disagree_on_are_named_with_both_answers() -> None:
    made = make_report(gathered())
    assert sorted(d.place for d in made.disagreements) == [2, 3, 4, 5, 6, 7]
    first = next(d for d in made.disagreements if d.place == 2)
    assert (first.truth, first.winner, first.other) == ("wasps", "wasps", "ants")
    assert (first.name, first.split) == ("train/2/2.jpg", "train")
    assert first.winner_probability == pytest.approx(0.8)


def test_what_every_finalist_misses_is_suspected() -> None:
    (suspect,) = make_report(gathered()).suspects
    assert (suspect.place, suspect.truth, suspect.answer) == (1, "bees", "wasps")
    assert suspect.missed == 1.0


def test_copies_across_train_and_val_are_paired() -> None:
    (copy,) = make_report(gathered()).copies
    assert (copy.train_place, copy.val_place) == (0, NUM_TRAIN + NUM_VAL - 1)


def test_without_images_classes_and_images_are_numbers() -> None:
    made = make_report(gathered(images=None, missing="They are gone."))
    assert made.confusion[0].truth == "class 0"
    assert made.suspects[0].name == "image 1"
    assert made.copies == ()
    assert not made.was_compared


def test_without_finals_the_validation_images_count() -> None:
    given = np.eye(3)[[place % 3 for place in range(NUM_VAL)]].tolist()
    made = make_report(gathered(trials=[trial(0, probabilities=given)], folds=(), winner=None))
    assert made.answered_on == "12 validation images"
    assert {c.truth: c.count for c in made.confusion if c.truth == c.predicted} == dict.fromkeys(
        CLASSES, 4
    )


def test_confidence_is_held_against_accuracy() -> None:
    given = np.array([[0.95, 0.05]] * 4 + [[0.65, 0.35]] * 4)
    labels = np.array([0, 0, 0, 1, 0, 0, 1, 1])
    found = answers.calibration(Answered(0, "", range(8), given, labels))
    assert [(b.count, b.accuracy) for b in found.bins] == [(4, 0.5), (4, 0.75)]
    assert found.error == pytest.approx((0.15 + 0.2) / 2)


def test_of_very_many_classes_only_what_happened_is_kept() -> None:
    given = np.eye(1000)[[1, 1, 2]]
    found = answers.confusion(Answered(0, "", range(3), given, np.array([1, 2, 2])), None)
    assert [(c.truth, c.predicted, c.count) for c in found] == [
        ("class 1", "class 1", 1), ("class 2", "class 1", 1), ("class 2", "class 2", 1),
    ]  # fmt: skip
