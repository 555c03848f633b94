"""A sampler that keeps to some values of a choice, once others have proved to be worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from sweeps.search.delegation import DelegatingSampler


class NarrowingSampler(DelegatingSampler):
    """Replaces a value that another sampler chose for one choice, where it is not among those left.

    Optuna's categories cannot change while a study runs; what is proposed of them can.

    Args:
        choice: The parameter's name.
    """

    def __init__(self, sampler: BaseSampler, choice: str) -> None:
        super().__init__(sampler)
        self._choice = choice
        self._left: list[Any] = []

    def narrow(self, values: Sequence[Any]) -> None:
        """Keep to these values from now on; the first of them takes the place of others."""
        self._left = list(values)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample, and replace."""
        sampled = super().sample_relative(study, trial, search_space)
        if self._choice in sampled:
            sampled = sampled | {self._choice: self._kept(sampled[self._choice])}
        return sampled

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Sample, and replace."""
        sampled = super().sample_independent(study, trial, param_name, param_distribution)
        return self._kept(sampled) if param_name == self._choice else sampled

    def _kept(self, value: Any) -> Any:
        if not self._left or value in self._left:
            return value
        return self._left[0]
