"""Minds Ray's trials and their workers: keeps workers warm, and ends trials that Ray waits for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ray.tune.experiment import Trial

logger = logging.getLogger(__name__)


def _never(trial_id: str, is_running: bool) -> bool:
    return False


class MindsTrials:
    """A scheduler, mixed into one of Ray's, that keeps workers and ends trials.

    With ``reuse_actors`` Ray keeps the worker of a trial that ended only as long as another trial
    already waits for it, and one more. Trials are proposed when a slot is free, so when two end at
    once, Ray would end one of their workers, and start another a moment later, for seconds. So a
    lane keeps as many workers as it has slots.

    A scheduler hears of a trial when it reports; of one that waits for a machine which is gone, or
    computes a long epoch, it hears nothing. So every step of Ray's loop, which asks for a trial to
    run, ends those that ``should_end``.
    """

    should_end: Callable[[str, bool], bool] = staticmethod(_never)

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Let Ray keep one worker more for the trial's lane, up to the number of its slots."""
        super().on_trial_add(tune_controller, trial)  # type: ignore[misc] # Ray's scheduler
        kept: dict[Any, int] = self.__dict__.setdefault("_kept", {})
        request, slots = trial.placement_group_factory, trial.config["slots"]
        if kept.get(request, 0) < slots:
            kept[request] = kept.get(request, 0) + 1
            keep_one_worker_more(tune_controller, request)

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """End what should end, then choose as Ray does."""
        for trial in list(tune_controller.get_live_trials()):
            waits, runs = trial.status == Trial.PENDING, trial.status == Trial.RUNNING
            if (waits or runs) and self.should_end(trial.trial_id, runs):
                tune_controller.stop_trial(trial)
        return super().choose_trial_to_run(tune_controller)  # type: ignore[misc]


def keep_one_worker_more(tune_controller: Any, request: Any) -> None:
    """Let Ray's controller keep one worker more for a resource request.

    The number is private; a Ray without it only loses the warmth.
    """
    try:
        tune_controller._tune_controller._actor_cache.increase_max(request)
    except AttributeError:
        logger.warning("this Ray does not let workers be kept; they may be started again")
