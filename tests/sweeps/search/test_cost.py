"""Cost-aware search: the cheaper of proposals that promise about equally much."""

from __future__ import annotations

import optuna
import pytest
from optuna.samplers import TPESampler

from sweeps.errors import SpecError
from sweeps.search.cost import EPOCH_S, CostAwareSampler, cheapest, epoch_costs
from sweeps.search.history import HistorySampler
from sweeps.search.samplers import make_sampler
from sweeps.search.space import SearchSpace
from sweeps.spec.models import Sampler, SweepSpec
from sweeps.spec.reading import parse_spec

SECONDS = {0: 20.0, 3: 10.0, 6: 4.0, 9: 0.1}


def study_with(sampler: optuna.samplers.BaseSampler, num_trials: int = 60) -> optuna.Study:
    """A study in which the frozen stages do not matter for the score, only for the cost."""
    study = optuna.create_study(sampler=sampler, direction="maximize")
    for _ in range(num_trials):
        trial = study.ask()
        stages = trial.suggest_int("frozen_stages", 0, 9, step=3)
        lr = trial.suggest_float("lr", 0.0, 1.0)
        trial.set_user_attr(EPOCH_S, SECONDS[stages])
        study.tell(trial, -((lr - 0.5) ** 2))
    return study


def inner_sampler(spec: SweepSpec) -> optuna.samplers.BaseSampler:
    sampler = make_sampler(spec, SearchSpace.of(spec))
    assert isinstance(sampler, HistorySampler)
    return sampler.inner


def spent_s(study: optuna.Study) -> float:
    return sum(trial.user_attrs[EPOCH_S] for trial in study.trials[10:])


def test_among_equals_the_cheaper_configurations_are_tried() -> None:
    """Over three seeds it spends a quarter less at least, and finds the optimum as well."""
    plain = [study_with(TPESampler(seed=s, multivariate=True, group=True)) for s in range(3)]
    aware = [
        study_with(CostAwareSampler(TPESampler(seed=s, multivariate=True, group=True)))
        for s in range(3)
    ]
    assert sum(map(spent_s, aware)) < 0.75 * sum(map(spent_s, plain))
    assert all(study.best_value > -0.001 for study in aware)


def test_costs_are_medians_by_frozen_stages() -> None:
    study = study_with(TPESampler(seed=0), num_trials=20)
    costs = epoch_costs(study.trials)
    assert costs == {stages: SECONDS[stages] for stages in costs}
    assert len(costs) == 4


def test_costs_between_those_seen_are_interpolated() -> None:
    proposals = [{"frozen_stages": 2}, {"frozen_stages": 5}, {"frozen_stages": 4}]
    assert cheapest(proposals, {0: 30.0, 9: 1.0}) == {"frozen_stages": 5}
    assert cheapest(proposals[:1] * 2, {0: 30.0}) is proposals[0]


def test_the_spec_switches_it_on_for_tpe_only() -> None:
    on = parse_spec("name: a\nsearch: {cost_aware: true}", "spec")
    assert isinstance(inner_sampler(on), CostAwareSampler)
    assert isinstance(inner_sampler(parse_spec("name: a", "spec")), TPESampler)
    with pytest.raises(SpecError, match="cost_aware needs the sampler tpe, got random"):
        parse_spec("name: a\nsearch: {cost_aware: true, sampler: random}", "spec")
    assert Sampler.TPE is on.search.sampler
