"""What depth and time brought."""

from __future__ import annotations

from results.report.comparing import best_by_backbone, best_by_depth, pareto_front
from results.schema import Objective, TrialStatus
from tests.results.report.sweeps_made_up import trial


def test_the_best_of_each_depth_is_complete_and_has_an_interval() -> None:
    trials = [
        trial(0, 0.8, frozen_stages=5),
        trial(1, 0.9, frozen_stages=5, training_s=6.0),
        trial(2, 0.99, frozen_stages=5, status=TrialStatus.STOPPED),
        trial(3, 0.7, frozen_stages=9),
        trial(4, None, frozen_stages=8, status=TrialStatus.FAILED),
    ]
    deep, head = best_by_depth(trials)
    assert (deep.frozen_stages, deep.num_trials, deep.trial_number) == (5, 3, 1)
    assert (head.frozen_stages, head.num_trials, head.trial_number) == (9, 1, 3)
    assert deep.low is not None
    assert deep.low < 0.9
    assert deep.epoch_s == 1.0


def test_backbones_are_told_apart() -> None:
    trials = [trial(0, 0.8), trial(1, 0.9, backbone="resnet18")]
    assert [best.backbone for best in best_by_backbone(trials)] == [
        "efficientnet_lite0", "resnet18",
    ]  # fmt: skip


def test_no_trial_of_the_front_is_beaten_in_as_little_time() -> None:
    trials = [
        trial(0, 0.8, training_s=5.0),
        trial(1, 0.8, training_s=1.0),
        trial(2, 0.9, training_s=9.0),
        trial(3, 0.85, training_s=9.0),
        trial(4, 0.95, training_s=2.0, status=TrialStatus.STOPPED),
    ]
    assert pareto_front(trials, Objective.VAL_ACCURACY) == (1, 2)


def test_a_lower_loss_is_better() -> None:
    losses = {0: 0.5, 1: 0.4, 2: 0.6}
    trials = [trial(n, 0.9, score=loss, training_s=1.0 + n) for n, loss in losses.items()]
    assert pareto_front(trials, Objective.VAL_LOSS) == (0, 1)
