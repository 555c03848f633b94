"""The Optuna study of a sweep: opening it, and the sampler the spec names."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, cast

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage

from sweeps.search.cost import CostAwareSampler
from sweeps.search.history import BoundedHistorySampler
from sweeps.search.journal import Journal
from sweeps.search.space import enqueue_first
from sweeps.spec.models import Sampler, SweepSpec


def open_study(spec: SweepSpec, journal: Path) -> optuna.Study:
    """Open the sweep's study, or create it with the spec's first configurations enqueued."""
    optuna.logging.disable_default_handler()
    journal.parent.mkdir(parents=True, exist_ok=True)
    storage = JournalStorage(Journal(journal))
    exists = spec.name in optuna.get_all_study_names(storage)
    study = optuna.create_study(
        storage=storage,
        study_name=spec.name,
        direction=cast(Any, spec.objective.direction),
        load_if_exists=True,
    )
    study.sampler = make_sampler(spec, num_known=len(study.get_trials(deepcopy=False)))
    if not exists:
        enqueue_first(study, spec)
    return study


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
                return optuna.samplers.GPSampler(seed=seed)
            case Sampler.CMAES:
                return CmaEsSampler(seed=seed)
            case Sampler.QMC:
                return QMCSampler(seed=spec.seed)
            case Sampler.RANDOM | Sampler.GRID:
                return RandomSampler(seed=seed)
