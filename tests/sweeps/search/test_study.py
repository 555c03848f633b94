"""What the study promises: it survives its process, and every sampler works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import FrozenTrial, TrialState

from results.schema import LOST, TrialStatus
from sweeps.search.history import HistorySampler
from sweeps.search.study import SearchStudy
from sweeps.spec.models import Sampler
from tests.sweeps.search_bench import next_of, trials_of
from tests.sweeps.sweep_fakes import GRID_SPACE, NUM_IN_GRID, WIDE_SPACE, make_spec, row

NUM_ASKS = 5
COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
RUNNING, WAITING = TrialState.RUNNING, TrialState.WAITING
STOPPED, FAILED = TrialStatus.STOPPED, TrialStatus.FAILED


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "it's a sweep" / "study.journal"


def spec_for(sampler: str, **search: Any) -> Any:
    space = GRID_SPACE if sampler == "grid" else WIDE_SPACE
    return make_spec(space, search={"sampler": sampler, **search})


def finish(study: SearchStudy, count: int) -> list[dict[str, Any]]:
    """Take trials and tell them; return their configurations."""
    configs = []
    for number in range(count):
        asked = next_of(study)
        configs.append(asked.config.to_dict())
        study.report(asked.number, 1, number / 10)
        study.tell(row(asked.number, number / 10))
    return configs


def states_of(study: SearchStudy) -> list[TrialState]:
    return [trial.state for trial in trials_of(study)]


@pytest.mark.parametrize("sampler", Sampler)
def test_every_sampler_searches_a_real_space(journal: Path, sampler: str) -> None:
    study = SearchStudy.open(spec_for(sampler), journal)
    configs = finish(study, NUM_ASKS)
    assert len(Sampler) == 6
    assert len({str(config) for config in configs}) == NUM_ASKS
    assert states_of(study) == [COMPLETE] * NUM_ASKS


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "qmc", "random"])
def test_a_study_taken_up_again_draws_other_parameters(journal: Path, sampler: str) -> None:
    spec = spec_for(sampler, first=[])
    lrs = set()
    for _ in range(3):
        study = SearchStudy.open(spec, journal)
        lrs |= {config["lr"] for config in finish(study, NUM_ASKS)}
    assert len(lrs) == 3 * NUM_ASKS


def test_two_studies_of_one_seed_draw_the_same_and_of_another_do_not(tmp_path: Path) -> None:
    drawn = []
    for number, seed in enumerate((1, 1, 2)):
        spec = make_spec(WIDE_SPACE, seed=seed)
        configs = finish(SearchStudy.open(spec, tmp_path / f"{number}.journal"), NUM_ASKS)
        drawn.append([config["lr"] for config in configs])
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_study_survives_its_process(journal: Path) -> None:
    spec = spec_for("random")
    study = SearchStudy.open(spec, journal)
    finish(study, 3)
    in_flight = next_of(study)
    again = SearchStudy.open(spec, journal)
    assert states_of(again) == [COMPLETE] * 3 + [RUNNING]
    assert trials_of(again)[1].value == 0.1
    assert trials_of(again)[1].intermediate_values == {1: 0.1}
    assert again.num_proposed == 3
    assert again.next() == in_flight
    assert again.num_proposed == 4


def test_first_tries_are_put_in_once_and_come_first(journal: Path) -> None:
    spec = spec_for("random", first=["tutorial", {"lr": 0.1}])
    for _ in range(3):
        study = SearchStudy.open(spec, journal)
        assert states_of(study) == [WAITING] * 2
    assert [next_of(study).first for _ in range(3)] == ["tutorial", "first 2", None]


def test_a_study_proposes_as_many_trials_as_the_spec_says(journal: Path) -> None:
    study = SearchStudy.open(spec_for("random", trials=2), journal)
    assert study.num_proposed == 0
    finish(study, 1)
    assert study.has_more()
    next_of(study)
    assert (study.num_proposed, study.has_more(), study.next()) == (2, False, None)
    assert study.numbers() == {0, 1}


def test_a_grid_is_proposed_once(journal: Path) -> None:
    spec = spec_for("grid", trials=99, first=[])
    finish(SearchStudy.open(spec, journal), 10)
    study = SearchStudy.open(spec, journal)
    finish(study, NUM_IN_GRID - 10)
    assert (study.has_more(), study.next()) == (False, None)
    assert len({str(trial.params) for trial in trials_of(study)}) == NUM_IN_GRID


def test_a_trial_given_back_is_proposed_again_as_it_was(journal: Path) -> None:
    study = SearchStudy.open(spec_for("random", trials=2), journal)
    first, second = next_of(study), next_of(study)
    study.give_back(first.number)
    study.give_back(first.number)
    assert (study.num_proposed, states_of(study)) == (1, [RUNNING, RUNNING])
    assert study.next() == first
    study.tell(row(second.number))
    assert (study.num_proposed, study.next()) == (2, None)


def test_a_trial_given_back_comes_first_when_the_study_is_opened_again(journal: Path) -> None:
    spec = spec_for("random")
    study = SearchStudy.open(spec, journal)
    cut = next_of(study)
    study.report(cut.number, 1, 0.9)
    study.give_back(cut.number)
    again = SearchStudy.open(spec, journal)
    assert [again.next(), next_of(again).number] == [cut, 1]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, COMPLETE),
        ({"status": STOPPED}, PRUNED),
        ({"status": FAILED, "error_kind": "diverged"}, FAIL),
    ],
)
def test_telling_from_a_row_is_done_once(
    journal: Path, changes: dict[str, Any], state: TrialState
) -> None:
    study = SearchStudy.open(spec_for("random"), journal)
    next_of(study)
    for _ in range(2):
        study.tell(row(0, 0.9, **changes))
    assert (states_of(study), study.num_proposed) == ([state], 1)


def test_a_row_the_study_had_not_heard_of_ends_its_trial(journal: Path) -> None:
    spec = spec_for("random")
    next_of(SearchStudy.open(spec, journal))
    study = SearchStudy.open(spec, journal)
    study.tell(row(0, 0.9))
    assert (states_of(study), next_of(study).number) == ([COMPLETE], 1)


@pytest.mark.parametrize(
    "changes", [{"status": FAILED, "error_kind": LOST}, {"status": TrialStatus.UNFINISHED}]
)
def test_an_open_trial_does_not_count_and_is_taken_up_by_the_next_start(
    journal: Path, changes: dict[str, Any]
) -> None:
    spec = spec_for("random", trials=2)
    study = SearchStudy.open(spec, journal)
    left = next_of(study)
    record = row(left.number, None, **changes)
    study.tell(record)
    assert study.num_proposed == 0
    assert [next_of(study).number for _ in range(2)] == [1, 2]
    assert study.next() is None
    again = SearchStudy.open(spec, journal)
    for known in (record, row(1), row(2)):
        again.tell(known)
    assert again.has_more()
    assert again.next() == left


def test_epochs_of_a_restarted_trial_replace_those_of_its_earlier_start(journal: Path) -> None:
    spec = spec_for("random")
    study = SearchStudy.open(spec, journal)
    study.report(next_of(study).number, 1, 0.95)
    again = SearchStudy.open(spec, journal)
    again.report(next_of(again).number, 1, 0.7)
    again.tell(row(0, 0.7, status=STOPPED, epochs_run=1))
    assert (trials_of(again)[0].value, states_of(again)) == (0.7, [PRUNED])


def test_a_restarted_trial_that_is_stopped_earlier_has_the_value_of_its_row(journal: Path) -> None:
    spec = spec_for("tpe", first=[])
    study = SearchStudy.open(spec, journal)
    number = next_of(study).number
    for epoch, value in enumerate((0.5, 0.7, 0.95), start=1):
        study.report(number, epoch, value)
    again = SearchStudy.open(spec, journal)
    again.report(next_of(again).number, 1, 0.5)
    again.report(number, 2, 0.7)
    again.tell(row(number, 0.7, status=STOPPED, epochs_run=2))
    for seen in (again, SearchStudy.open(spec, journal)):
        assert trials_of(seen)[0].value == 0.7
        assert shown_to_sampler(seen)[0].intermediate_values == {1: 0.5, 2: 0.7}


def shown_to_sampler(study: SearchStudy) -> list[FrozenTrial]:
    sampler = study._study.sampler
    assert isinstance(sampler, HistorySampler)
    return sampler.shown(study._study).get_trials(deepcopy=False)


@pytest.mark.parametrize("sampler", ["qmc", "random", "tpe"])
def test_a_study_taken_up_again_repeats_no_setting_of_a_schedule(
    journal: Path, sampler: str
) -> None:
    """They are not in every trial, and Optuna's quasi-random sampler drew them elsewhere."""
    spec = make_spec({"schedule": {"one_cycle": {"peak": {"uniform": [0.1, 0.5]}},
                      "exponential": {"gamma": {"uniform": [0.1, 0.9]}}}},
                     search={"sampler": sampler, "first": []})  # fmt: skip
    drawn = []
    for _ in range(3):
        drawn += finish(SearchStudy.open(spec, journal), NUM_ASKS)
    settings = {(config.get("peak"), config.get("gamma")) for config in drawn}
    assert len(settings) == 3 * NUM_ASKS


@pytest.mark.parametrize(
    ("objective", "direction"), [("val_accuracy", "MAXIMIZE"), ("val_loss", "MINIMIZE")]
)
def test_the_study_goes_in_the_direction_of_the_objective(
    journal: Path, objective: str, direction: str
) -> None:
    assert (
        SearchStudy.open(make_spec(objective=objective), journal)._study.direction.name == direction
    )


@pytest.mark.parametrize("torn", [b'{"op_code": 5, "wor', b"\xff\xfe", b"{"])
def test_a_line_that_was_not_finished_is_cut_off(journal: Path, torn: bytes) -> None:
    spec = spec_for("random")
    finish(SearchStudy.open(spec, journal), 2)
    whole = journal.read_bytes()
    with journal.open("ab") as file:
        file.write(torn)
    study = SearchStudy.open(spec, journal)
    repaired = journal.read_bytes()
    assert repaired.startswith(whole + b'{"op_code"')
    assert repaired.endswith(b"}\n")
    assert len(trials_of(study)) == 2
    finish(study, 1)
    assert len(trials_of(SearchStudy.open(spec, journal))) == 3


def test_a_journal_whose_first_line_is_torn_begins_anew(journal: Path) -> None:
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b'{"op_code": 0')
    assert len(trials_of(SearchStudy.open(spec_for("random"), journal))) == 1


def test_the_lock_of_a_killed_process_does_not_keep_others_out(tmp_path: Path) -> None:
    journal = tmp_path / "study.journal"
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from sweeps.search.journal import KernelLock;"
        "KernelLock(Path(sys.argv[1])).acquire(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(journal)], env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert len(trials_of(SearchStudy.open(spec_for("random"), journal))) == 1
