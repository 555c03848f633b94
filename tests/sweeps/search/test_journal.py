"""What the journal promises: what was written stays, and can be read again."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal._storage import JournalOperation
from optuna.trial import TrialState

from sweeps.search.journal import KEPT_THROUGH_POWER_CUTS, Journal


def test_the_journal_keeps_what_was_told_without_flushing_every_line(tmp_path: Path) -> None:
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


@contextmanager
def no_file_above(num_bytes: int) -> Iterator[None]:
    """Let every write beyond a size fail, as on a full disk, after what fits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 1, 20])
def test_a_write_that_fails_half_way_leaves_the_journal_as_it_was(
    tmp_path: Path, room: int
) -> None:
    """Else the next line is glued to the torn one, and the study cannot be opened again."""
    path = tmp_path / "study.journal"
    study = optuna.create_study(storage=JournalStorage(Journal(path)), study_name="a")
    trial = study.ask()
    before = path.read_bytes()
    with no_file_above(len(before) + room), pytest.raises(OSError, match="File too large"):
        trial.report(0.5, 1)
    assert path.read_bytes() == before
    trial.report(0.25, 1)
    study.tell(trial, 0.25)
    for seen in (study, optuna.load_study(storage=JournalStorage(Journal(path)), study_name="a")):
        assert seen.trials[0].intermediate_values == {1: 0.25}
        assert seen.trials[0].state is TrialState.COMPLETE


def test_the_operations_kept_through_power_cuts_are_those_of_optuna() -> None:
    wanted = (
        JournalOperation.CREATE_STUDY,
        JournalOperation.CREATE_TRIAL,
        JournalOperation.SET_TRIAL_STATE_VALUES,
    )
    assert frozenset(wanted) == KEPT_THROUGH_POWER_CUTS
