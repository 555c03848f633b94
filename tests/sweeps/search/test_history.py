"""A long study costs no more to ask than a short one, and is asked as well."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from sweeps.search.history import NUM_BEST, NUM_RECENT, BoundedHistorySampler, bounded


@pytest.fixture(scope="module")
def long_study() -> optuna.Study:
    """A thousand trials told, the best ones first; two are running."""
    study = optuna.create_study(direction="maximize")
    distributions = {"lr": optuna.distributions.FloatDistribution(0, 1)}
    for number in range(1000):
        study.add_trial(
            optuna.trial.create_trial(
                params={"lr": number / 1000}, distributions=distributions, value=-number / 1000
            )
        )
    study.ask(distributions)
    study.ask(distributions)
    return study


def test_a_short_study_is_shown_whole() -> None:
    study = optuna.create_study()
    study.ask()
    assert bounded(study) is study


def test_the_best_the_latest_and_the_running_are_shown(long_study: optuna.Study) -> None:
    shown = bounded(long_study).get_trials(deepcopy=False)
    numbers = [trial.number for trial in shown]
    assert numbers[:NUM_BEST] == list(range(NUM_BEST))
    assert numbers[NUM_BEST:] == list(range(1002 - NUM_RECENT, 1002))
    assert sum(trial.state is TrialState.RUNNING for trial in shown) == 2


def test_what_the_sampler_models_as_good_is_what_it_would_of_all_trials(
    long_study: optuna.Study,
) -> None:
    """The best values lie near 0; suggestions from the part are near there, as from the whole."""
    for sampler in (TPESampler(seed=0), BoundedHistorySampler(TPESampler(seed=0))):
        long_study.sampler = sampler
        asked = [long_study.ask().suggest_float("lr", 0, 1) for _ in range(20)]
        assert sum(value < 0.15 for value in asked) >= 18


def test_the_journal_keeps_what_was_told_without_flushing_every_line(tmp_path: Path) -> None:
    from optuna.storages import JournalStorage

    from sweeps.search.journal import Journal

    path = tmp_path / "study journal"
    study = optuna.create_study(storage=JournalStorage(Journal(path)), study_name="a")
    trial = study.ask()
    trial.suggest_float("lr", 0, 1)
    trial.report(0.5, 1)
    study.tell(trial, 0.25)
    again = optuna.load_study(storage=JournalStorage(Journal(path)), study_name="a")
    assert again.trials[0].params == trial.params
    assert again.trials[0].intermediate_values == {1: 0.5}
    assert again.best_value == 0.25
