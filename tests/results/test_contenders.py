"""The search goes on with the backbones whose probe cannot be told from the best."""

from __future__ import annotations

import numpy as np

from results.contenders import contenders

LABELS = [0, 1] * 50


def answers(of_right: np.ndarray) -> list[list[float]]:
    """Return probabilities of two classes, given those of the right one."""
    right = np.clip(of_right, 0.01, 0.99)
    return [
        [p, 1 - p] if label == 0 else [1 - p, p] for p, label in zip(right, LABELS, strict=True)
    ]


def test_a_probe_that_is_clearly_worse_is_out_and_one_that_is_alike_stays() -> None:
    draw = np.random.default_rng(0)
    good = draw.uniform(0.8, 0.99, len(LABELS))
    alike = np.roll(good, 7) - 1e-3
    worse = good - 0.1
    found = contenders(
        {"worse": answers(worse), "good": answers(good), "alike": answers(alike)}, LABELS
    )
    assert found == ["good", "alike"]


def test_a_small_difference_that_every_image_shows_is_enough() -> None:
    good = np.full(len(LABELS), 0.9)
    assert contenders({"a": answers(good - 0.01), "b": answers(good)}, LABELS) == ["b"]


def test_one_backbone_is_a_contender_and_so_are_equal_ones() -> None:
    same = answers(np.full(len(LABELS), 0.9))
    assert contenders({"a": same}, LABELS) == ["a"]
    assert contenders({"a": same, "b": same}, LABELS) == ["a", "b"]
