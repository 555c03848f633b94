"""What the command line promises: a user's mistake is a sentence and exit code 2."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import pytest
import yaml

from results.finals import Finals, FoldRecord
from results.leaderboard import Leaderboard
from results.schema import TrialStatus
from sweeps import cli, configs, naming
from sweeps.spec.models import is_safe_name
from tests.sweeps.sweep_fakes import row

COMMANDS = ["sweep", "best", "leaderboard", "retrain", "predict", "data", "schema",
            "report", "watch", "plan", "test", "cache", "cache show", "cache clear"]  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["antsbees", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        told = capsys.readouterr()
        return Ended(int(caught.value.code or 0), told.out, told.err)

    return call


@pytest.fixture
def board(tmp_path: Path) -> Leaderboard:
    """The leaderboard of the folder commands run in, with two trials."""
    board = Leaderboard(tmp_path / "runs" / "leaderboard")
    board.append(row(0, 0.8, first="tutorial"))
    board.append(row(1, 0.9))
    return board


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version") == Ended(0, f"antsbees {version('antsbees')}\n", "")


def test_a_shell_can_complete_commands(tmp_path: Path) -> None:
    asked = {**os.environ, "_ANTSBEES_COMPLETE": "complete_bash",
             "COMP_WORDS": "antsbees le", "COMP_CWORD": "1"}  # fmt: skip
    command = Path(sys.executable).with_name("antsbees")
    answer = subprocess.run([command], env=asked, capture_output=True, text=True, cwd=tmp_path)
    assert (answer.stdout.split(), answer.stderr) == (["leaderboard"], "")


def test_every_command_explains_itself(run: Run) -> None:
    assert "sweep" in run("--help").out
    for command in COMMANDS:
        ended = run(*command.split(), "--help")
        assert (ended.code, ended.err) == (0, "")
        assert "Usage:" in ended.out
    assert len(COMMANDS) == len(cli.app.registered_commands) + 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sweep", "none.yaml"],
         "there is no spec none.yaml: give a YAML file, or one of default, quick, tutorial"),
        (["sweep", "quick", "--name", "../up"], "quick.yaml cannot be used:\n  - name"),
        (["sweep", "quick", "--trials", "0"],
         "Input should be greater than or equal to 1, got 0"),
        (["sweep", "quick", "--data", "nowhere"], "no images at {cwd}/nowhere: give a "),
        (["sweep", "quick", "--runs", "file"], "cannot write to {cwd}/file: File exists; choose "
         "another folder with --runs or ANTSBEES_RUNS"),
        (["best"], "there is no leaderboard in {cwd}/runs/leaderboard; run a sweep first"),
        (["leaderboard"], "there is no leaderboard in {cwd}/runs/leaderboard; run a sweep first"),
        (["retrain"], "there is no leaderboard in {cwd}/runs/leaderboard; run a sweep first"),
        (["report", "--follow", "--format", "json"], "--follow writes a page again and again: "),
        (["watch"], "there is no leaderboard in {cwd}/runs/leaderboard; run a sweep first"),
        (["report"], "there is no leaderboard in {cwd}/runs/leaderboard; run a sweep first"),
        (["predict", "ants", "a.jpg"],
         "there is no model ants: neither a folder nor a name in {cwd}/runs/models"),
        (["predict", "latest", "a.jpg"],
         "there is no model in {cwd}/runs/models; run antsbees retrain first"),
        (["data", "nowhere"], "no images at {cwd}/nowhere: give a "),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_a_sentence(
    run: Run, tmp_path: Path, arguments: list[str], told: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    ended = run(*arguments)
    assert ended.code == 2
    assert ended.err.startswith("error: ")
    assert told.format(cwd=tmp_path) in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["best", "--sweep", "wasps"],
         "there is no sweep 'wasps' in {cwd}/runs/leaderboard; there is: test"),
        (["leaderboard", "--sweep", "wasps"],
         "there is no sweep 'wasps' in {cwd}/runs/leaderboard; there is: test"),
        (["report", "--sweep", "wasps"],
         "there is no sweep 'wasps' in {cwd}/runs/leaderboard; there is: test"),
        (["retrain", "--trial", "7"], "sweep 'test' has no trial 7; see antsbees leaderboard"),
        (["retrain", "--on", "all", "--seeds", "2"],
         "--seeds are compared on the validation images, which --on all learns from; leave out"),
        (["retrain", "--ensemble", "2", "--trial", "0"],
         "--ensemble chooses its members itself: leave out --trial and --seeds"),
        (["retrain", "--ensemble", "2"], "sweep 'test' had no finals, so there is no ensemble"),
        (["retrain", "--name", "../up"], "'../up' cannot be the name of a model; use letters, "),
        (["retrain", "--name", "latest"], "'latest' cannot be the name of a model; use letters, "),
    ],
)  # fmt: skip
def test_a_mistake_about_a_leaderboard_is_told_in_a_sentence(
    run: Run, board: Leaderboard, tmp_path: Path, arguments: list[str], told: str
) -> None:
    ended = run(*arguments)
    assert ended.code == 2
    assert ended.err.startswith(f"error: {told.format(cwd=tmp_path)}")


def test_a_bad_spec_is_told_with_all_its_faults(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("name: ants\nepohcs: 3\nimage_size: 8\n")
    ended = run("sweep", "my.yaml")
    assert ended.code == 2
    assert ended.err.startswith("error: my.yaml cannot be used:\n")
    assert "epohcs (line 2): unknown key; did you mean epochs?" in ended.err
    assert "image_size (line 3): Input should be greater" in ended.err


def test_a_leaderboard_without_a_complete_trial_has_no_best(run: Run, tmp_path: Path) -> None:
    failed = row(0, None, status=TrialStatus.FAILED, epochs_run=0, error_message="nan")
    Leaderboard(tmp_path / "runs" / "leaderboard").append(failed)
    told = "error: no trial is complete yet (0 complete, 0 stopped, 0 unfinished, 1 failed), so"
    for command in ("best", "retrain"):
        ended = run(command)
        assert ended.code == 2
        assert ended.err.startswith(told)
    ended = run("retrain", "--trial", "0")
    assert ended.err == "error: trial 0 completed no epoch (nan); choose another\n"


@pytest.mark.parametrize(
    "arguments", [["swep"], ["best", "--swep", "a"], ["leaderboard", "--top", "0"]]
)
def test_a_wrong_option_ends_with_2_too(run: Run, arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert ended.err != ""


def test_the_best_is_printed_in_three_formats(run: Run, board: Leaderboard) -> None:
    as_json = json.loads(run("best", "--format", "json").out)
    as_yaml = yaml.safe_load(run("best", "--format", "yaml").out)
    assert as_json == as_yaml
    assert as_json["trial_number"] == 1
    assert as_json["tutorial"]["val_accuracy"] == 0.8
    table = run("best")
    assert table.code == 0
    assert "Best of sweep test (2 complete; dataset photos): trial 1" in table.out


def test_the_best_is_that_of_the_sweep_that_ran_last(run: Run, board: Leaderboard) -> None:
    for name, day in (("test", 2), ("old", 1)):
        board.append(row(7, 0.7, sweep=name, finished_at=datetime(2025, 3, day, tzinfo=UTC)))
    assert json.loads(run("best", "--format", "json").out)["sweep"] == "test"
    found = json.loads(run("best", "--sweep", "old", "--format", "json").out)
    assert found["score"] == 0.7


def test_the_leaderboard_is_printed_in_three_formats(run: Run, board: Leaderboard) -> None:
    as_json = json.loads(run("leaderboard", "--format", "json").out)
    as_csv = list(csv.DictReader(StringIO(run("leaderboard", "--format", "csv").out)))
    assert [values["trial_number"] for values in as_json] == [1, 0]
    assert [values["trial_number"] for values in as_csv] == ["1", "0"]
    assert list(as_csv[0]) == list(as_json[0])
    table = run("leaderboard", "--top", "1").out.splitlines()
    assert len(table) == 3
    assert table[2].split()[:4] == ["1", "test", "1", "complete"]


def test_the_runs_folder_can_be_named_with_any_name(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s a "folder" ☃'
    Leaderboard(folder / "leaderboard").append(row(4, 0.9))
    ended = run("best", "--runs", str(folder), "--format", "json")
    assert json.loads(ended.out)["trial_number"] == 4


def test_the_schema_of_a_spec_is_json_schema(run: Run) -> None:
    schema = json.loads(run("schema").out)
    assert schema["title"] == "SweepSpec"
    assert schema["additionalProperties"] is False
    backbone, *_ = schema["properties"]["backbone"]["anyOf"]
    assert "efficientnet_lite0" in backbone["anyOf"][0]["enum"]


def test_editors_are_given_the_schema_as_it_is(run: Run) -> None:
    shipped = Path(configs.__file__).with_name("spec.schema.json")
    assert json.loads(shipped.read_text()) == json.loads(run("schema").out)


def test_the_installed_command_ends_without_a_traceback(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("antsbees")
    ended = subprocess.run([command, "best"], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 2
    told = f"error: there is no leaderboard in {tmp_path}/runs/leaderboard; run a sweep first\n"
    assert ended.stderr == told


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("synthetic", "default-synthetic"),
        ("../my photographs/", "default-my-photographs"),
        ("/data/flowers.zip", "default-flowers"),
        ("/data/" + "x" * 100, "default-" + "x" * 56),
        ("_photographs", "default-_photographs"),
        ("/", "default"),
    ],
)
def test_other_images_make_a_sweep_of_another_safe_name(data: str, name: str) -> None:
    assert naming.name_with_data("default", data) == name
    assert is_safe_name(name)


@pytest.mark.parametrize("sweep", ["default", "x" * 64])
def test_an_ensemble_does_not_take_the_name_of_the_single_model(sweep: str) -> None:
    name = naming.model_name(naming.ensemble_name(sweep))
    assert name != sweep
    assert name.endswith("-ensemble")


def test_the_best_is_that_of_the_newest_sweep_or_of_the_one_named(
    run: Run, board: Leaderboard
) -> None:
    board.append(row(5, 0.7, sweep="another", finished_at=datetime(2030, 1, 1, tzinfo=UTC)))
    assert json.loads(run("best", "--format", "json").out)["trial_number"] == 5
    named = json.loads(run("best", "--sweep", "test", "--format", "json").out)
    assert (named["trial_number"], named["tutorial"]["trial_number"]) == (1, 0)


def test_a_first_try_need_not_say_all_for_its_sweep_to_be_planned(
    run: Run, tmp_path: Path, tiny_folder: Path
) -> None:
    spec = {"name": "mine", "data": str(tiny_folder), "search": {"first": [{"lr": 0.01}]}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(spec))
    ended = run("plan", "mine.yaml")
    assert (ended.code, ended.err) == (0, "")
    assert "first: one of your own; then the sampler tpe chooses" in ended.out


def test_the_best_is_no_finalist_that_diverged_later(run: Run, board: Leaderboard) -> None:
    """It led the first repeat."""
    finals = Finals(board.folder.parent / "finals")
    for number, right in enumerate((0.8, 0.95)):
        finals.append(
            [
                FoldRecord(
                    sweep="test", trial_number=number, repeat=0, fold=fold, num_folds=2, score=1.0,
                    accuracy=1.0, loss=1 - right, seconds=1.0, images=list(range(fold, 40, 2)),
                    labels=[0] * 20, probabilities=[[right, 1 - right]] * 20,
                )
                for fold in range(2)
            ]
        )  # fmt: skip
    assert ": trial 1" in run("best").out
    finals.append_failure("test", 1, 1, 2, "the loss is no longer finite")
    assert ": trial 0" in run("best").out
