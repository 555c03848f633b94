"""How much each hyperparameter decided, by Optuna's PED-ANOVA, and how sure that is."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from statistics import fmean
from typing import Any, cast

import optuna
from optuna.distributions import BaseDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState, create_trial

from results.report.gathered import Importance
from results.schema import PROBE, TrialRecord, TrialStatus
from sweeps.search.space import Parameter, SearchSpace
from sweeps.spec.models import SweepSpec

FEWEST_TRIALS = 20
"""With fewer, the best tenth is one or two trials, and no importance is more than chance."""
_JUDGED = (TrialStatus.COMPLETE, TrialStatus.STOPPED)
_LONGEST = 500  # trials drawn for one estimate


def importances(
    spec: SweepSpec, records: Sequence[TrialRecord], bootstraps: int = 30, seed: int = 0
) -> tuple[Importance, ...]:
    """Estimate what decided whether a trial came among the best tenth, the most important first.

    Stopped trials count with the score they had. The settings of one hyperparameter in several
    choices are added up. The interval is that of estimates on trials drawn with replacement.

    Returns:
        Nothing where there are too few trials.
    """
    told = [r for r in records if r.first != PROBE and r.status in _JUDGED and r.score is not None]
    varied = [p for p in SearchSpace.of(spec).parameters if _varies(p, told)]
    if len(told) < FEWEST_TRIALS or not varied:
        return ()
    trials = [_trial(record, varied) for record in told]
    optuna.logging.disable_default_handler()
    generator = random.Random(seed)
    num_drawn = min(len(trials), _LONGEST)
    draws = [generator.choices(trials, k=num_drawn) for _ in range(bootstraps)]
    estimates = [_estimate(spec, drawn) for drawn in draws]
    names = dict.fromkeys(parameter.hyperparameter for parameter in varied)
    found = [_summed_up(name, [e.get(name, 0.0) for e in estimates]) for name in names]
    return tuple(sorted(found, key=lambda importance: -importance.share))


def _varies(parameter: Parameter, records: Sequence[TrialRecord]) -> bool:
    """Tell whether a parameter is searched and took several values; of one, nothing is learnt."""
    values = {getattr(record, parameter.hyperparameter) for record in records} - {None}
    return isinstance(parameter.domain, BaseDistribution) and len(values) > 1


def on_log_scale(spec: SweepSpec) -> frozenset[str]:
    """Return the hyperparameters that are searched on a logarithmic scale."""
    parameters = SearchSpace.of(spec).parameters
    return frozenset(p.hyperparameter for p in parameters if getattr(p.domain, "log", False))


def _summed_up(name: str, shares: Sequence[float]) -> Importance:
    ordered = sorted(shares)
    cut = round(0.025 * len(ordered))
    return Importance(name, fmean(ordered), ordered[cut], ordered[-1 - cut])


def _estimate(spec: SweepSpec, trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """Return the share of each hyperparameter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Optuna calls experimental
        study = optuna.create_study(direction=cast(Any, spec.objective.direction))
        study.add_trials(trials)
        given = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    shares: dict[str, float] = {}
    for name, share in given.items():
        plain = name.rpartition(".")[2]
        shares[plain] = shares.get(plain, 0.0) + share
    return shares


def _trial(record: TrialRecord, parameters: Sequence[Parameter]) -> FrozenTrial:
    """Return a row as the study would know it."""
    held = [parameter for parameter in parameters if _is_held(parameter, record)]
    return create_trial(
        state=TrialState.COMPLETE,
        value=record.score,
        params={p.name: getattr(record, p.hyperparameter) for p in held},
        distributions={p.name: cast(BaseDistribution, p.domain) for p in held},
    )


def _is_held(parameter: Parameter, record: TrialRecord) -> bool:
    """Tell whether a row has a value of a parameter that the study could come to.

    Older rows do not have every choice; what they have a value of did apply.
    """
    value = getattr(record, parameter.hyperparameter)
    chosen = getattr(record, parameter.choice) if parameter.choice else None
    applies = chosen is None or parameter.applies({parameter.choice: chosen})
    return value is not None and applies and parameter.holds(value)
