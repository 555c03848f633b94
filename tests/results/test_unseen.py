"""A score on test images comes with intervals that hold."""

from __future__ import annotations

import numpy as np
import pytest

from results.ranking import wilson_interval
from results.unseen import score_unseen


def test_accuracy_and_log_loss_have_intervals() -> None:
    right = np.array([0.9] * 18 + [0.2] * 2)
    found = score_unseen(np.stack([right, 1 - right], axis=1), np.zeros(20, np.int64))
    assert (found.num_images, found.accuracy) == (20, 0.9)
    assert found.accuracy_95 == wilson_interval(0.9, 20)
    assert found.loss == pytest.approx(-(18 * np.log(0.9) + 2 * np.log(0.2)) / 20)
    assert found.loss_95.low < found.loss < found.loss_95.high


def test_the_interval_of_the_log_loss_covers_the_truth() -> None:
    generator = np.random.default_rng(0)
    covered = 0
    for seed in range(40):
        losses = generator.exponential(0.2, size=100)
        right = np.exp(-losses)
        found = score_unseen(np.stack([right, 1 - right], axis=1), np.zeros(100, np.int64), seed)
        covered += found.loss_95.low <= 0.2 <= found.loss_95.high
    assert 34 <= covered <= 40
