"""The sampler a spec names."""

from __future__ import annotations

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)

from sweeps.search.cost import CostAwareSampler
from sweeps.search.history import BoundedHistorySampler
from sweeps.spec.models import Sampler, SweepSpec


def make_sampler(spec: SweepSpec, num_known: int = 0) -> BaseSampler:
    """Build the sampler the spec names.

    Args:
        num_known: Trials the study has already: a sweep taken up again must not draw the numbers
            of its first start once more.
    """
    seed = spec.seed + num_known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        match spec.search.sampler:
            case Sampler.TPE:
                tpe = TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)
                return BoundedHistorySampler(
                    CostAwareSampler(tpe) if spec.search.cost_aware else tpe
                )
            case Sampler.GP:
                return GPSampler(seed=seed)
            case Sampler.CMAES:
                return CmaEsSampler(seed=seed)
            case Sampler.QMC:
                return QMCSampler(seed=spec.seed)
            case Sampler.RANDOM | Sampler.GRID:
                return RandomSampler(seed=seed)
