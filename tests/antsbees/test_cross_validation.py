"""Cross-validation answers for images that were not learnt from; heads are trained together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from antsbees import cross_validation
from antsbees.bench import Bench
from antsbees.config import Schedule, TrialConfig
from antsbees.cross_validation import CrossValidation
from antsbees.errors import DivergedError
from antsbees.frozen.probe import fold_probes
from antsbees.hyperparameters import HeadStart, OptimizerKind
from tests.antsbees.laboratory import Laboratory

FOLDS = [tuple(range(first, 40, 3)) for first in range(3)]  # of the tiny images
HEAD = TrialConfig(9, lr=0.01, batch_size=8, epochs=2)
PROBE = replace(HEAD, lr=1e-9, momentum=0.0, schedule=Schedule(), head_start=HeadStart.PROBE)
TOLERANCE = 1e-4  # of probabilities: heads together and alone sum in another order


def on_folds(lab: Laboratory) -> CrossValidation:
    return CrossValidation(lab.bench(lab.cache), FOLDS)


def test_heads_together_are_what_each_is_alone(lite0_lab: Laboratory) -> None:
    configs = [HEAD, PROBE, replace(HEAD, head_start=HeadStart.PROBE, batch_size=16, seed=3)]
    crossed = on_folds(lite0_lab)
    assert all(crossed.is_fused(config) for config in configs)
    for config, together in zip(configs, crossed.heads(configs), strict=True):
        alone = crossed.one(config)
        assert not isinstance(together, DivergedError)
        assert len(alone) == len(together) == len(FOLDS)
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_allclose(one.probabilities, other.probabilities, atol=TOLERANCE)
            assert abs(one.loss - other.loss) < TOLERANCE


def test_what_else_is_trained_is_trained_alone(
    lite0_lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    crossed = on_folds(lite0_lab)
    with monkeypatch.context() as patched:
        patched.setattr(cross_validation, "MOST_IMAGES_FUSED", 39)
        assert not crossed.is_fused(HEAD)
    assert crossed.is_fused(HEAD)
    assert not crossed.is_fused(replace(HEAD, frozen_stages=8))
    assert not crossed.is_fused(TrialConfig(9, optimizer=OptimizerKind.ADAMW))
    (fold, *_) = crossed.one(replace(HEAD, frozen_stages=8, head_start=HeadStart.PROBE))
    assert fold.probabilities.shape == (len(FOLDS[0]), 2)


def test_the_probe_is_the_cross_validated_one(lite0_lab: Laboratory) -> None:
    (found,) = on_folds(lite0_lab).heads([PROBE])
    assert not isinstance(found, DivergedError)
    bench = lite0_lab.bench(lite0_lab.cache)
    features, labels = bench.pooled_features(), torch.tensor(lite0_lab.dataset.pooled.labels)
    probes = fold_probes(features[None], features, labels, FOLDS, 2)
    for fold, probe, evaluation in zip(FOLDS, probes, found, strict=True):
        wanted = probe.probabilities(features[list(fold)])
        np.testing.assert_allclose(evaluation.probabilities, wanted, atol=1e-4)


def test_one_that_diverges_is_told_and_harms_no_other(lite0_lab: Laboratory) -> None:
    good, bad = on_folds(lite0_lab).heads([HEAD, replace(HEAD, lr=1e38)])
    assert isinstance(bad, DivergedError)
    assert not isinstance(good, DivergedError)


def test_what_is_computed_before_is_not_computed_again(
    lite0_lab: Laboratory, tmp_path: Path
) -> None:
    """The numbers of frozen stages of all finalists, each from the one before it."""
    lab = lite0_lab
    bench = Bench.sharing(lab.dataset, lab.task, lab.execution, tmp_path, 10**9)
    for k in (8, 9):
        training = bench.training(replace(HEAD, frozen_stages=k))
        for _ in range(HEAD.epochs):
            training.run_epoch()
    bench.compute([9, 8])
    files = {path.name for path in tmp_path.rglob("*.tensor")}
    assert {f"train-centred-v0-k{k}.tensor" for k in (8, 9)} <= files
    crossed = CrossValidation(bench, FOLDS)
    crossed.heads([HEAD])
    crossed.one(replace(HEAD, frozen_stages=8))
    assert {path.name for path in tmp_path.rglob("*.tensor")} == files
