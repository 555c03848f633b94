"""What the journal promises: what was written stays, and can be read again."""

from __future__ import annotations

from pathlib import Path

import optuna
from optuna.storages import JournalStorage

from sweeps.search.journal import Journal


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
