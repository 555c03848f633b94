"""A sampler that keeps to some of the backbones, once others have proved to be worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from sweeps.search.delegation import DelegatingSampler
from sweeps.search.space import BACKBONE, FIRST
from sweeps.spec.first import PORTFOLIO


class NarrowingSampler(DelegatingSampler):
    """Replaces a backbone that another sampler chose, where it is not among those left.

    Optuna's categories cannot change while a study runs; what is proposed of them can. Tries of the
    portfolio that name no backbone go to the first.
    """

    def __init__(self, sampler: BaseSampler) -> None:
        super().__init__(sampler)
        self._left: list[str] = []

    def narrow(self, backbones: Sequence[str]) -> None:
        """Keep to these backbones from now on; the first of them takes the place of others."""
        self._left = list(backbones)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample, and replace."""
        sampled = super().sample_relative(study, trial, search_space)
        if BACKBONE in sampled:
            sampled = sampled | {BACKBONE: self._kept(trial, sampled[BACKBONE])}
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
        return self._kept(trial, sampled) if param_name == BACKBONE else sampled

    def _kept(self, trial: FrozenTrial, backbone: str) -> str:
        is_open = trial.user_attrs.get(FIRST) != PORTFOLIO
        if not self._left or (is_open and backbone in self._left):
            return backbone
        return self._left[0]
