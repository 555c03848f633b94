"""What the study promises: it survives its process, and every sampler works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from sweeps.search.space import FIRST, suggest
from sweeps.search.study import open_study
from sweeps.spec.models import Sampler
from tests.sweeps.sweep_fakes import GRID_SPACE, WIDE_SPACE, make_spec

NUM_ASKS = 5


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "it's a sweep" / "study.journal"


def spec_for(sampler: str, **search: Any) -> Any:
    space = GRID_SPACE if sampler == "grid" else WIDE_SPACE
    return make_spec(space, search={"sampler": sampler, **search})


def ask(study: optuna.Study, spec: Any, count: int) -> list[dict[str, Any]]:
    """Ask for trials and tell them; return their configurations."""
    configs = []
    for number in range(count):
        trial = study.ask()
        configs.append(suggest(trial, spec).to_dict())
        trial.report(number / 10, 1)
        study.tell(trial, number / 10)
    return configs


@pytest.mark.parametrize("sampler", Sampler)
def test_every_sampler_searches_a_real_space(journal: Path, sampler: str) -> None:
    spec = spec_for(sampler)
    study = open_study(spec, journal)
    configs = ask(study, spec, NUM_ASKS)
    assert len(Sampler) == 6
    assert len({str(config) for config in configs}) == NUM_ASKS
    assert [t.state for t in study.trials] == [TrialState.COMPLETE] * NUM_ASKS


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "qmc", "random"])
def test_a_study_taken_up_again_draws_other_parameters(journal: Path, sampler: str) -> None:
    spec = spec_for(sampler, first=[])
    lrs = set()
    for _ in range(3):
        lrs |= {config["lr"] for config in ask(open_study(spec, journal), spec, NUM_ASKS)}
    assert len(lrs) == 3 * NUM_ASKS


def test_two_studies_of_one_seed_draw_the_same_and_of_another_do_not(tmp_path: Path) -> None:
    drawn = []
    for number, seed in enumerate((1, 1, 2)):
        spec = make_spec(WIDE_SPACE, seed=seed)
        configs = ask(open_study(spec, tmp_path / f"{number}.journal"), spec, NUM_ASKS)
        drawn.append([config["lr"] for config in configs])
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_study_survives_its_process(journal: Path) -> None:
    spec = spec_for("random")
    study = open_study(spec, journal)
    ask(study, spec, 3)
    running = study.ask()
    params = suggest(running, spec)
    again = open_study(spec, journal)
    states = [trial.state for trial in again.trials]
    assert states == [TrialState.COMPLETE] * 3 + [TrialState.RUNNING]
    assert again.trials[1].value == 0.1
    assert again.trials[1].intermediate_values == {1: 0.1}
    assert suggest(optuna.Trial(again, again.trials[3]._trial_id), spec) == params


def test_first_tries_are_put_in_once(journal: Path) -> None:
    spec = spec_for("random", first=["tutorial", {"lr": 0.1}])
    for _ in range(3):
        study = open_study(spec, journal)
        assert [trial.user_attrs[FIRST] for trial in study.trials] == ["tutorial", "first 2"]


@pytest.mark.parametrize(
    ("objective", "direction"), [("val_accuracy", "MAXIMIZE"), ("val_loss", "MINIMIZE")]
)
def test_the_study_goes_in_the_direction_of_the_objective(
    journal: Path, objective: str, direction: str
) -> None:
    assert open_study(make_spec(objective=objective), journal).direction.name == direction


@pytest.mark.parametrize("torn", [b'{"op_code": 5, "wor', b"\xff\xfe", b"{"])
def test_a_line_that_was_not_finished_is_cut_off(journal: Path, torn: bytes) -> None:
    spec = spec_for("random")
    ask(open_study(spec, journal), spec, 2)
    whole = journal.read_bytes()
    with journal.open("ab") as file:
        file.write(torn)
    study = open_study(spec, journal)
    mended = journal.read_bytes()
    assert mended.startswith(whole + b'{"op_code"')
    assert mended.endswith(b"}\n")
    assert len(study.trials) == 2
    ask(study, spec, 1)
    assert len(open_study(spec, journal).trials) == 3


def test_a_journal_whose_first_line_is_torn_begins_anew(journal: Path) -> None:
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b'{"op_code": 0')
    assert len(open_study(spec_for("random"), journal).trials) == 1


def test_the_lock_of_a_killed_process_does_not_keep_others_out(tmp_path: Path) -> None:
    journal = tmp_path / "study.journal"
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from sweeps.search.journal import KernelLock;"
        "KernelLock(Path(sys.argv[1])).acquire(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(journal)], env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert len(open_study(spec_for("random"), journal).trials) == 1
