"""A sampler is shown what it can learn from, and of a long study as much as it needs."""

from __future__ import annotations

import optuna
import pytest
from optuna.samplers import BaseSampler, TPESampler
from optuna.samplers._tpe.sampler import _split_trials, default_gamma
from optuna.trial import FrozenTrial, TrialState

from sweeps.search.history import NUM_BEST, NUM_RECENT, HistorySampler
from sweeps.search.samplers import make_sampler
from sweeps.search.space import GIVEN, SearchSpace
from tests.sweeps.sweep_fakes import make_spec

COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
LR: dict[str, optuna.distributions.BaseDistribution] = {
    "lr": optuna.distributions.FloatDistribution(0, 1)
}


def study_of(states: list[TrialState], running: int = 2) -> optuna.Study:
    """Trials of which each is worse than the one before, and some that run."""
    study = optuna.create_study(direction="maximize")
    for number, state in enumerate(states):
        value = -number / len(states)
        trial = optuna.trial.create_trial(
            params={"lr": number / len(states)},
            distributions=LR,
            state=state,
            value=None if state is FAIL else value,
            intermediate_values={number % 3: value} if state is PRUNED else {},
        )
        study.add_trial(trial)
    for _ in range(running):
        study.ask(LR)
    return study


@pytest.fixture(scope="module")
def long_study() -> optuna.Study:
    return study_of([COMPLETE] * 1000)


def shown(study: optuna.Study) -> list[FrozenTrial]:
    sampler = HistorySampler(TPESampler(), LR, bounded=True)
    return sampler.shown(study).get_trials(deepcopy=False)


def good_of(study: optuna.Study, trials: list[FrozenTrial]) -> list[int]:
    """What TPE models as good when it sees these trials."""
    learned = [trial for trial in trials if trial.state is not FAIL]
    ended = sum(trial.state is not TrialState.RUNNING for trial in learned)
    good, _ = _split_trials(study, learned, default_gamma(ended))
    return [trial.number for trial in good]


def test_a_short_study_is_shown_whole() -> None:
    study = study_of([COMPLETE, FAIL, PRUNED])
    assert [trial.number for trial in shown(study)] == [0, 2, 3, 4]  # nothing learns of failures


def test_the_best_the_latest_and_the_running_are_shown(long_study: optuna.Study) -> None:
    trials = shown(long_study)
    numbers = [trial.number for trial in trials]
    assert numbers[:NUM_BEST] == list(range(NUM_BEST))
    assert numbers[NUM_BEST:] == list(range(1000 - NUM_RECENT, 1002))
    assert sum(trial.state is TrialState.RUNNING for trial in trials) == 2


@pytest.mark.parametrize(
    "states",
    [
        [COMPLETE] * 1000,
        ([COMPLETE] * 7 + [FAIL] * 3) * 100,
        ([COMPLETE] + [PRUNED] * 8) * 110,
        ([COMPLETE] + [PRUNED] * 60 + [FAIL] * 20) * 10,  # too few complete ones
        [PRUNED] * 400,
        ([COMPLETE, FAIL, PRUNED] * 10)[::-1],
    ],
)
def test_tpe_models_the_same_trials_as_good_as_if_it_saw_all(states: list[TrialState]) -> None:
    """Whichever failed or were stopped; else its 25 become the fewer, the more trials fail."""
    for order in (states, states[::-1]):
        study = study_of(order)
        assert good_of(study, shown(study)) == good_of(study, study.get_trials(deepcopy=False))


def test_a_third_of_failures_costs_tpe_none_of_its_good_trials() -> None:
    study = study_of(([COMPLETE] * 7 + [FAIL] * 3) * 60)
    assert len(good_of(study, shown(study))) == NUM_BEST


def test_what_the_sampler_models_as_good_is_what_it_would_of_all_trials(
    long_study: optuna.Study,
) -> None:
    """The best values lie near 0; suggestions from the part are near there, as from the whole."""
    for sampler in (TPESampler(seed=0), HistorySampler(TPESampler(seed=0), LR, bounded=True)):
        long_study.sampler = sampler
        asked = [long_study.ask().suggest_float("lr", 0, 1) for _ in range(20)]
        assert sum(value < 0.15 for value in asked) >= 18


SPACE = {
    "lr": {"log_uniform": [1e-4, 0.5]},
    "momentum": {"uniform": [0.5, 0.99]},
    "weight_decay": {"log_uniform": [1e-6, 1e-2]},
    "schedule": "constant",
}
SEARCHED = ("lr", "momentum", "weight_decay")


def sampler_and_study(name: str, given: dict[str, float]) -> tuple[BaseSampler, optuna.Study]:
    """A study of twelve trials; the first was given values, and lacks a parameter."""
    spec = make_spec(SPACE, search={"sampler": name})
    sampler = make_sampler(spec, SearchSpace.of(spec))
    study = optuna.create_study(sampler=sampler)
    study.enqueue_trial({"lr": 0.1, "momentum": 0.9}, user_attrs={GIVEN: given})
    for number in range(12):
        trial = study.ask()
        trial.suggest_float("lr", 1e-4, 0.5, log=True)
        trial.suggest_float("momentum", 0.5, 0.99)
        if number > 0 or not given:
            trial.suggest_float("weight_decay", 1e-6, 1e-2, log=True)
        study.tell(trial, number)
    return sampler, study


@pytest.mark.parametrize("name", ["tpe", "cmaes", "qmc"])
def test_a_first_try_outside_of_the_space_takes_no_parameter_from_the_model(name: str) -> None:
    sampler, study = sampler_and_study(name, {"weight_decay": 0.0})
    trial = study.ask()._cached_frozen_trial
    space = sampler.infer_relative_search_space(study, trial)
    assert set(SEARCHED) <= set(space)
    if name == "tpe":
        assert isinstance(sampler, HistorySampler)
        tpe = sampler.inner
        assert isinstance(tpe, TPESampler)
        assert tpe._search_space_group is not None
        assert [set(group) for group in tpe._search_space_group.search_spaces] == [set(SEARCHED)]


def test_a_first_try_that_only_brings_what_is_not_searched_is_learned_from() -> None:
    sampler, study = sampler_and_study("tpe", {"batch_size": 4})
    assert isinstance(sampler, HistorySampler)
    assert len(sampler.shown(study).get_trials()) == 12
    sampler, study = sampler_and_study("tpe", {"weight_decay": 0.0})
    assert isinstance(sampler, HistorySampler)
    assert len(sampler.shown(study).get_trials()) == 11


@pytest.mark.parametrize("name", ["tpe", "gp", "cmaes"])
def test_optunas_samplers_look_at_a_study_through_what_the_view_replaces(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``Study._get_trials`` is Optuna's own; a sampler that went around it would see all trials."""
    spec = make_spec(SPACE, search={"sampler": name})
    sampler = make_sampler(spec, SearchSpace.of(spec))
    assert isinstance(sampler, HistorySampler)
    study = study_of([COMPLETE] * 3)
    assert callable(study._get_trials)
    view = sampler.shown(study)
    monkeypatch.setattr(type(view), "_get_trials", lambda *_, **__: [])
    trial = study.ask()._cached_frozen_trial
    assert sampler.inner.infer_relative_search_space(view, trial) == {}
