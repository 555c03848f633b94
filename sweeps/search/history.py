"""Shows a sampler the part of a study that it can learn from, and no more than it needs."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from typing import Any, cast

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweeps.search.delegation import DelegatingSampler
from sweeps.search.space import GIVEN

NUM_BEST = 25  # as many as Optuna's TPE at the most takes for its good ones
NUM_RECENT = 225
EPOCHS_TOLD = "epochs_told"  # a trial's attribute: the epochs of its row, if it had reported more


class HistorySampler(DelegatingSampler):
    """Shows another sampler a study without what would mislead it, and if long, a part of it.

    - A first try whose value of a searched parameter lies outside of the space cannot be told in
      the space's terms. Optuna's samplers would take what it lacks for a conditional parameter: TPE
      would model it apart from all others from then on, the others would leave it to chance.
    - A trial that was stopped earlier than an earlier start of it had come ends where its row does.
    - From 250 trials on, TPE models its good trials by the 25 best ones and the others by all the
      rest. Shown those 25 and the 225 latest of the rest, its model of what is good stays the same,
      and the time of a suggestion does not grow. Failed trials, of which it learns nothing, take no
      one's place.

    Args:
        searched: The parameters that have a distribution.
        bounded: Show a part of a long study, chosen as TPE needs it.
    """

    def __init__(self, sampler: BaseSampler, searched: Collection[str], bounded: bool) -> None:
        super().__init__(sampler)
        self._searched = frozenset(searched)
        self._bounded = bounded

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Infer it from the trials shown."""
        return super().infer_relative_search_space(self.shown(study), trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample given the trials shown."""
        return super().sample_relative(self.shown(study), trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Sample given the trials shown."""
        return super().sample_independent(self.shown(study), trial, param_name, param_distribution)

    def shown(self, study: Study) -> Study:
        """Return a view of the study."""
        trials = list(self._sound(study.get_trials(deepcopy=False)))
        if self._bounded:
            trials = _best_and_latest(trials, study.direction)
        return cast(Study, _StudyView(study, trials))

    def _sound(self, trials: list[FrozenTrial]) -> Iterator[FrozenTrial]:
        for trial in trials:
            if self._searched.isdisjoint(trial.user_attrs.get(GIVEN, ())):
                yield _as_told(trial)


def _as_told(trial: FrozenTrial) -> FrozenTrial:
    """Return the trial with the epochs of its row."""
    if EPOCHS_TOLD not in trial.user_attrs:
        return trial
    told = copy.copy(trial)
    last = trial.user_attrs[EPOCHS_TOLD]
    told.intermediate_values = {e: v for e, v in trial.intermediate_values.items() if e <= last}
    return told


def _best_and_latest(trials: list[FrozenTrial], direction: StudyDirection) -> list[FrozenTrial]:
    """Choose, in the order of their numbers: what runs, the best, and the latest of the rest."""
    learned = [t for t in trials if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    best = sorted(learned, key=lambda trial: _rank(trial, direction))[:NUM_BEST]
    numbers = {trial.number for trial in best}
    rest = [trial for trial in learned if trial.number not in numbers]
    running = [trial for trial in trials if trial.state is TrialState.RUNNING]
    return sorted([*best, *rest[-NUM_RECENT:], *running], key=lambda trial: trial.number)


def _rank(trial: FrozenTrial, direction: StudyDirection) -> tuple[bool, int, float]:
    """Order trials as TPE does: complete ones by value, then stopped ones by how far they came."""
    sign = -1 if direction is StudyDirection.MAXIMIZE else 1
    if trial.state is TrialState.COMPLETE:
        return (False, 0, sign * cast(float, trial.value))
    epoch, value = max(trial.intermediate_values.items(), default=(-1, 0.0))
    return (True, -epoch, sign * value)


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
