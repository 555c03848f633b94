"""What is compared and told before a sweep is taken up again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from results.leaderboard import Leaderboard
from results.schema import TrialStatus
from sweeps.errors import UsageError
from sweeps.paths import state_file
from sweeps.running.resuming import clear_states, reconcile, require_same_sweep
from tests.sweeps.search_bench import SPEC, opened, trials_of
from tests.sweeps.sweep_fakes import DATASET, make_spec, row


def test_the_first_start_is_remembered_and_the_same_one_is_let_pass(tmp_path: Path) -> None:
    path = tmp_path / "sweep.json"
    require_same_sweep(SPEC, DATASET, path)
    assert path.exists()
    longer = SPEC.model_copy(update={"search": SPEC.search.model_copy(update={"trials": 99})})
    require_same_sweep(longer, DATASET, path)


def test_what_makes_trials_incomparable_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "sweep.json"
    require_same_sweep(make_spec(epochs=2), DATASET, path)
    with pytest.raises(UsageError, match="was started with another epochs and seed; its trials"):
        require_same_sweep(make_spec(epochs=3, seed=1), DATASET, path)
    other = replace(DATASET, fingerprint="another")
    with pytest.raises(UsageError, match="was started with another dataset_fingerprint"):
        require_same_sweep(make_spec(epochs=2), other, path)


def test_a_sweep_from_before_a_key_had_its_default(tmp_path: Path) -> None:
    path = tmp_path / "sweep.json"
    require_same_sweep(SPEC, DATASET, path)
    older = json.loads(path.read_text())
    del older["fast_layers"]
    path.write_text(json.dumps(older))
    with pytest.raises(UsageError, match="was started with another fast_layers"):
        require_same_sweep(SPEC.model_copy(update={"fast_layers": False}), DATASET, path)
    require_same_sweep(SPEC, DATASET, path)


def test_a_sweep_from_before_a_hyperparameter_had_its_default(tmp_path: Path) -> None:
    path = tmp_path / "sweep.json"
    require_same_sweep(SPEC, DATASET, path)
    older = json.loads(path.read_text())
    del older["space"]["soup_size"]
    path.write_text(json.dumps(older))
    space = SPEC.space.model_copy(update={"soup_size": 3})
    soups = SPEC.model_copy(update={"space": space})
    with pytest.raises(UsageError, match="was started with another space"):
        require_same_sweep(soups, DATASET, path)
    path.write_text(json.dumps(older))
    require_same_sweep(SPEC, DATASET, path)


def test_the_study_is_told_of_rows_it_missed_and_open_ones_stay_open(tmp_path: Path) -> None:
    study, leaderboard = opened(tmp_path), Leaderboard(tmp_path / "leaderboard")
    for _ in range(3):
        study.next()
    leaderboard.append(row(0, 0.9))
    leaderboard.append(row(1, 0.8, status=TrialStatus.UNFINISHED))
    leaderboard.append(row(2, None, status=TrialStatus.FAILED, error_kind="lost"))
    again = opened(tmp_path)
    known = reconcile(again, SPEC.name, leaderboard)
    assert [record.trial_number for record in known] == [0]
    assert [t.state.is_finished() for t in trials_of(again)] == [True, False, False]
    proposed = [again.next(), again.next()]
    assert [asked.number for asked in proposed if asked] == [1, 2]


def test_only_the_states_of_open_trials_stay(tmp_path: Path) -> None:
    folder, study = tmp_path / "unfinished", opened(tmp_path)
    clear_states(folder, study.open_numbers())
    for _ in range(3):
        study.next()
    study.tell(row(0, 0.9))
    study.tell(row(1, None, status=TrialStatus.FAILED, error_kind="lost"))
    folder.mkdir()
    files = [state_file(folder, number) for number in range(4)]
    for file in (*files, folder / ".half.trial-000001.pt"):
        file.touch()
    clear_states(folder, study.open_numbers())
    assert sorted(folder.iterdir()) == files[1:3]
    clear_states(folder, ())
    assert not folder.exists()


def test_rows_without_their_study_are_refused(tmp_path: Path) -> None:
    leaderboard = Leaderboard(tmp_path / "leaderboard")
    leaderboard.append(row(0, 0.9))
    with pytest.raises(UsageError, match="has trials of 'test' that its study does not know"):
        reconcile(opened(tmp_path), "test", leaderboard)


def test_a_sweep_without_rows_has_none(tmp_path: Path) -> None:
    assert reconcile(opened(tmp_path), "test", Leaderboard(tmp_path / "leaderboard")) == []
