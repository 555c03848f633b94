"""Minds Ray's trials and their workers: keeps workers warm, and ends trials that Ray waits for."""

from __future__ import annotations

from typing import Any, Protocol

from ray.tune.experiment import Trial

from sweeps.running import private
from sweeps.running.lanes import LaneKind, Place


class Overseer(Protocol):
    """What knows better than Ray which trials and workers are to go on."""

    def should_end(self, trial_id: str, is_running: bool, waits_for_room: bool) -> bool:
        """Tell whether a trial is to end now."""

    def is_closed(self, place: Place) -> bool:
        """Tell whether a lane gets no more trials."""

    def num_slots(self) -> int:
        """Return how many trials there is room for."""


class MindsTrials:
    """A scheduler, mixed into one of Ray's, that keeps workers and ends trials.

    With ``reuse_actors`` Ray keeps the worker of a trial that ended only as long as another trial
    already waits for it, and one more. Trials are proposed when a slot is free, so when two end at
    once, Ray would end one of their workers, and start another a moment later, for seconds. So a
    lane keeps as many workers as it has slots.

    A scheduler hears of a trial when it reports; of one that waits for a machine which is gone, or
    computes a long epoch, it hears nothing. So every step of Ray's loop, which asks for a trial to
    run, ends those that the overseer wants to end.
    """

    overseer: Overseer | None = None

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Let Ray keep one worker more for the trial's lane, up to the number of its slots."""
        super().on_trial_add(tune_controller, trial)  # type: ignore[misc] # Ray's scheduler
        config = trial.config
        place = LaneKind(config["lane"]), config["node_id"]
        kept = self._kept_at(place)
        request = trial.placement_group_factory
        if kept.get(request, 0) < config["slots"]:
            kept[request] = kept.get(request, 0) + 1
            private.keep_one_worker_more(tune_controller, request)

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """End what should end, then choose as Ray does.

        As many trials may wait for their workers as there are slots: with fewer, one that waits for
        a GPU would keep CPU slots empty. The workers of a closed lane go, and their cores are free.
        """
        if (overseer := self.overseer) is not None:
            self._follow_slots(tune_controller, max(1, overseer.num_slots()))
            for place in [place for place in self._kept() if overseer.is_closed(place)]:
                for request, kept in self._kept().pop(place).items():
                    private.keep_no_workers(tune_controller, request, kept)
            for trial in list(tune_controller.get_live_trials()):
                if _should_end(overseer, tune_controller, trial):
                    private.name_folder(trial)
                    tune_controller.stop_trial(trial)
        return super().choose_trial_to_run(tune_controller)  # type: ignore[misc]

    def _follow_slots(self, tune_controller: Any, slots: int) -> None:
        if self.__dict__.get("_allowed") != slots:
            self.__dict__["_allowed"] = slots
            private.allow_pending(tune_controller, slots)

    def _kept(self) -> dict[Place, dict[Any, int]]:
        kept: dict[Place, dict[Any, int]] = self.__dict__.setdefault("_kept_by_place", {})
        return kept

    def _kept_at(self, place: Place) -> dict[Any, int]:
        return self._kept().setdefault(place, {})


def _should_end(overseer: Overseer, tune_controller: Any, trial: Any) -> bool:
    is_running = trial.status == Trial.RUNNING
    if not is_running and trial.status != Trial.PENDING:
        return False
    waits = not is_running and private.waits_for_room(tune_controller, trial)
    return overseer.should_end(trial.trial_id, is_running, waits)
