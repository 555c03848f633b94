"""Keeps a lane's worker processes from trial to trial."""

from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger(__name__)


class KeepsWorkers:
    """A scheduler, mixed into one of Ray's, under which a lane keeps as many workers as slots.

    With ``reuse_actors`` Ray keeps the worker of a trial that ended only as long as another trial
    already waits for it, and one more. Trials are proposed when a slot is free, so when two end at
    once, Ray would end one of their workers, and start another a moment later, for seconds. How
    many workers Ray keeps for a resource request is a number in its controller, which is raised
    here; a Ray without that number only loses the warmth.
    """

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Let Ray keep one worker more for the trial's lane, up to the number of its slots."""
        super().on_trial_add(tune_controller, trial)  # type: ignore[misc] # Ray's scheduler
        kept: dict[Any, int] = self.__dict__.setdefault("_kept", {})
        request, slots = trial.placement_group_factory, trial.config["slots"]
        if kept.get(request, 0) >= slots:
            return
        kept[request] = kept.get(request, 0) + 1
        try:
            tune_controller._tune_controller._actor_cache.increase_max(request)
        except AttributeError:
            logger.warning("this Ray does not let workers be kept; they may be started anew")
