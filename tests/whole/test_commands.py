"""What a person types, from a sweep to predictions, and what is left when it is ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from results.leaderboard import Leaderboard
from tests.whole.tiny_sweep import TINY_SPEC, command, command_line

MARK = "ANTSBEES_TEST_MARK"


@pytest.fixture(scope="module")
def workplace(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a tiny sweep was run from the command line."""
    folder = tmp_path_factory.mktemp("work place")
    (folder / "tiny.yaml").write_text(TINY_SPEC)
    done = command("sweep", "tiny.yaml", "--data", tiny_folder, "--name", "tiny", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "[6/6," in done.stdout
    assert "Best of sweep tiny" in done.stdout
    assert "the tutorial's" in done.stdout
    assert done.stdout.endswith(f"\nReport: {folder}/runs/reports/tiny.html\n")
    assert (folder / "runs/reports/tiny.html").stat().st_size > 500_000
    assert done.stderr == ""
    return folder


def test_best_shows_configuration_and_interval(workplace: Path) -> None:
    told = json.loads(command("best", "--format", "json", cwd=workplace).stdout)
    low, high = told["val_accuracy_95"]
    assert low <= told["val_accuracy"] <= high
    assert told["tutorial"]["trial_number"] == 0
    same = yaml.safe_load(command("best", "--format", "yaml", cwd=workplace).stdout)
    assert same == told
    assert "95 % interval" in command("best", cwd=workplace).stdout


def test_leaderboard_in_three_formats(workplace: Path) -> None:
    rows = json.loads(command("leaderboard", "--format", "json", cwd=workplace).stdout)
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5, 6]
    lines = command("leaderboard", "--format", "csv", cwd=workplace).stdout.splitlines()
    assert len(lines) == 7
    table = command("leaderboard", "--sweep", "tiny", "--top", "2", cwd=workplace).stdout
    assert len(table.splitlines()) == 4  # title, header, two rows


def test_retraining_reproduces_the_row_and_predicting_uses_the_model(
    workplace: Path, tiny_folder: Path
) -> None:
    trained = command("retrain", "--seeds", "2", cwd=workplace)
    assert trained.returncode == 0, trained.stderr
    assert "Reproduced exactly" in trained.stdout
    assert "Over 2 seeds" in trained.stdout
    model = workplace / "runs" / "models" / "tiny"
    assert {f.name for f in model.iterdir()} == {"model.safetensors", "model.json", "README.md"}
    described = json.loads((model / "model.json").read_text())
    assert described["metrics"]["reproduced"] is True
    assert described["classes"] == ["ants", "bees"]

    answered = command("predict", "latest", tiny_folder / "val", "--format", "json", cwd=workplace)
    assert answered.returncode == 0, answered.stderr
    answers = json.loads(answered.stdout)
    assert len(answers) == 16
    right = sum(answer["class"] == Path(answer["path"]).parent.name for answer in answers)
    assert right / 16 == pytest.approx(described["metrics"]["val_accuracy"])


def test_every_trial_of_the_sweep_can_be_reproduced(workplace: Path) -> None:
    numbers = [r.trial_number for r in Leaderboard(workplace / "runs/leaderboard").read("tiny")]
    assert len(numbers) == 6
    for number in numbers[:3]:
        again = command(
            "retrain", "--trial", str(number), "--on", "train", "--name", f"t{number}",
            cwd=workplace,
        )  # fmt: skip
        assert "Reproduced exactly" in again.stdout, again.stdout + again.stderr


def test_training_on_all_images_claims_no_validation_score(workplace: Path) -> None:
    trained = command("retrain", "--name", "all-images", cwd=workplace)
    assert trained.returncode == 0, trained.stderr
    described = json.loads((workplace / "runs/models/all-images/model.json").read_text())
    assert described["metrics"]["trained_on_val"] is True
    assert "val_accuracy" not in described["metrics"]


def test_a_bad_file_gets_its_own_line_and_the_others_their_answers(
    workplace: Path, tiny_folder: Path
) -> None:
    command("retrain", "--name", "again", cwd=workplace)
    good = next((tiny_folder / "val" / "bees").iterdir())
    (workplace / "bad.jpg").write_bytes(b"no image")
    answered = command("predict", "again", good, "bad.jpg", "gone.jpg", cwd=workplace)
    assert answered.returncode == 1
    assert good.name in answered.stdout.replace("\n", "")
    errors = answered.stderr.splitlines()
    assert len(errors) == 2
    assert errors[0].startswith("error: bad.jpg: ")
    assert errors[1] == "error: gone.jpg: no such file"


def test_other_images_are_no_images_of_this_sweep(workplace: Path, tmp_path: Path) -> None:
    refused = command("retrain", "--data", "synthetic", cwd=workplace, HOME=str(tmp_path))
    assert refused.returncode == 2
    assert "are not those of sweep tiny" in refused.stderr


def marked_processes(mark: str) -> list[int]:
    """List the processes that carry a mark in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
            alive = "\nState:\tZ" not in (folder / "status").read_text()
        except OSError:
            continue
        if f"{MARK}={mark}".encode() in environment and alive:
            found.append(int(folder.name))
    return found


def wait_until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(0.1)


def num_rows(leaderboard: Path) -> int:
    board = Leaderboard(leaderboard)
    return len(board.read("tiny")) if "tiny" in board.sweeps() else 0


@pytest.mark.parametrize(("end", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_sweep_that_is_ended_leaves_no_process_and_goes_on(
    end: signal.Signals, code: int, tiny_folder: Path, tmp_path: Path
) -> None:
    """Rows that were there stay; the same command adds the others, each number once."""
    (tmp_path / "tiny.yaml").write_text(TINY_SPEC.replace("epochs: 3", "epochs: 40"))
    words = ("sweep", "tiny.yaml", "--data", tiny_folder, "--name", "tiny", "--trials", "20",
             "--no-report")  # fmt: skip
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        command_line(*words), cwd=tmp_path, env=os.environ | {MARK: mark},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    rows = tmp_path / "runs" / "leaderboard"
    wait_until(lambda: num_rows(rows) >= 3, 120, "three rows")
    process.send_signal(end)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code
    if end is signal.SIGINT:
        assert "run the same command again to go on" in output
    wait_until(lambda: not marked_processes(mark), 30, "no process left behind")
    before = Leaderboard(tmp_path / "runs/leaderboard").read("tiny")
    assert 3 <= len(before) < 20

    done = command(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "done before" in done.stdout
    after = Leaderboard(tmp_path / "runs/leaderboard").read("tiny")
    assert [r.trial_number for r in after] == list(range(20))
    kept = {r.trial_number: r for r in after}
    assert all(kept[r.trial_number] == r for r in before if not r.is_open)
