"""The sampler a spec names."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)
from optuna.trial import FrozenTrial

from sweeps.search.delegation import DelegatingSampler
from sweeps.search.history import HistorySampler
from sweeps.search.space import SearchSpace
from sweeps.spec.models import Sampler, SweepSpec


def make_sampler(spec: SweepSpec, space: SearchSpace, num_known: int = 0) -> BaseSampler:
    """Build the sampler the spec names.

    Args:
        num_known: Trials the study has already: a sweep taken up again must not draw the numbers
            of its first start once more.
    """
    seed = spec.seed + num_known
    searched = space.searched()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        match spec.search.sampler:
            case Sampler.TPE:
                tpe = TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)
                return HistorySampler(tpe, searched, bounded=True)
            case Sampler.GP:
                gp = GPSampler(seed=seed, warn_independent_sampling=False)
                return HistorySampler(gp, searched, bounded=False)
            case Sampler.CMAES:
                cmaes = CmaEsSampler(seed=seed, warn_independent_sampling=False)
                return HistorySampler(cmaes, searched, bounded=False)
            case Sampler.QMC:
                return FixedSpaceSampler(QMCSampler(seed=spec.seed), searched)
            case Sampler.RANDOM | Sampler.GRID:
                return RandomSampler(seed=seed)


class FixedSpaceSampler(DelegatingSampler):
    """Tells another sampler which parameters there are, instead of having it infer them.

    Optuna's quasi-random sampler takes the parameters of the first trial that ended for all there
    are, and leaves the others to chance. The place in its sequence is kept with the study, so that
    a study taken up again goes on where it was.
    """

    def __init__(self, sampler: BaseSampler, space: Mapping[str, BaseDistribution]) -> None:
        super().__init__(sampler)
        self._space = dict(space)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return all parameters, those that a trial will not ask for among them."""
        return self._space
