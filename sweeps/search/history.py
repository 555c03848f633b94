"""Keeps the cost of a suggestion from growing with the number of trials."""

from __future__ import annotations

from typing import Any, cast

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweeps.search.delegation import DelegatingSampler

NUM_BEST = 25  # as many as Optuna's TPE at the most takes for its good ones
NUM_RECENT = 225


class BoundedHistorySampler(DelegatingSampler):
    """Shows TPE the best and the latest trials of a long study, instead of all.

    From 250 trials on, TPE models its good trials by the 25 best ones and the others by all the
    rest. It still sees those 25 best, and for the rest the 225 latest: the model of what is good
    stays the same, and the time of a suggestion does not grow.
    """

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Infer it from the trials shown."""
        return super().infer_relative_search_space(bounded(study), trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample given the trials shown."""
        return super().sample_relative(bounded(study), trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Sample given the trials shown."""
        return super().sample_independent(bounded(study), trial, param_name, param_distribution)


def bounded(study: Study) -> Study:
    """Return the study, or a view of it that shows a part of its trials."""
    trials = study.get_trials(deepcopy=False)
    if len(trials) <= NUM_BEST + NUM_RECENT:
        return study
    return cast(Study, _StudyView(study, _shown(trials, study.direction)))


def _shown(trials: list[FrozenTrial], direction: StudyDirection) -> list[FrozenTrial]:
    """Choose the running, the best and the latest trials; in the order of their numbers."""
    sign = -1 if direction is StudyDirection.MAXIMIZE else 1
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    best = sorted(complete, key=lambda trial: sign * cast(float, trial.value))[:NUM_BEST]
    running = [trial for trial in trials if trial.state is TrialState.RUNNING]
    chosen = {trial.number: trial for trial in [*best, *running, *trials[-NUM_RECENT:]]}
    return [chosen[number] for number in sorted(chosen)]


class _StudyView:
    """A study that shows some of its trials; in all else, the study itself."""

    def __init__(self, study: Study, trials: list[FrozenTrial]) -> None:
        self._study = study
        self._trials = trials

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def get_trials(
        self, deepcopy: bool = True, states: tuple[TrialState, ...] | None = None, **_: Any
    ) -> list[FrozenTrial]:
        return [trial for trial in self._trials if states is None or trial.state in states]

    _get_trials = get_trials  # what Optuna's samplers call
