"""Keeps Ray Tune from printing: it adds a callback that does, unless there is one already."""

from __future__ import annotations

from typing import Any

from ray.tune.progress_reporter import TrialProgressCallback


class SaysNothing(TrialProgressCallback):
    """Ray's callback for progress, which even at verbosity 0 prints some trials that end."""

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: Any, **_: Any
    ) -> None:
        """Say nothing."""

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **_: Any) -> None:
        """Say nothing."""

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **_: Any) -> None:
        """Say nothing."""
