"""Finals on a real Ray: rows of every fold, a winner, and going on where they ended."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import ray

from antsbees.checkpoints import load_model
from antsbees.data.datasets import Dataset
from results.finals import Finals, FoldRecord
from results.leaderboard import Leaderboard
from results.ranking import rank
from results.winner import final_winner
from sweeps.paths import RunPaths
from sweeps.running.cluster import AliveNodes
from sweeps.running.driver import SweepOutcome, run_sweep
from sweeps.running.tasks import NOT_BEGUN_S, send
from sweeps.spec.models import SweepSpec
from tests.sweeps.sweep_fakes import CPU
from tests.whole.tiny_sweep import Witness, command, tiny_spec

PLAN = {"count": 3, "folds": 2, "repeats": 2, "share": 10}


@pytest.fixture(scope="module", autouse=True)
def _one_ray() -> Iterator[None]:
    """One Ray for all tests of this module."""
    ray.init("local", num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def finished(
    tiny_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> tuple[SweepOutcome, RunPaths, Witness]:
    """One sweep with finals that several tests look at."""
    paths, witness = RunPaths(tmp_path_factory.mktemp("finals")), Witness()
    return run_sweep(spec_of(), tiny_dataset, paths, witness), paths, witness


def spec_of() -> SweepSpec:
    return tiny_spec(finals=PLAN)


def rows_in(paths: RunPaths) -> list[FoldRecord]:
    return Finals(paths.finals).read("tiny")


def timeless(rows: list[FoldRecord]) -> list[FoldRecord]:
    return [replace(row, seconds=0.0, started_at=None, worker_pid=None) for row in rows]


def test_every_finalist_answers_for_every_image(
    finished: tuple[SweepOutcome, RunPaths, Witness], tiny_dataset: Dataset
) -> None:
    outcome, paths, witness = finished
    rows = rows_in(paths)
    first = [row for row in rows if row.repeat == 0]
    numbers = {row.trial_number for row in first}
    assert len(numbers) == 3
    assert any(r.first == "tutorial" and r.trial_number in numbers for r in outcome.records)
    for number in numbers:
        own = [row for row in first if row.trial_number == number]
        places = sorted(place for row in own for place in row.images)
        assert places == list(range(len(tiny_dataset.pooled)))
        assert all(abs(sum(p) - 1) < 1e-5 for row in own for p in row.probabilities)
        known = tiny_dataset.pooled.labels
        assert all(known[i] == y for r in own for i, y in zip(r.images, r.labels, strict=True))
    assert witness.notes[0].startswith("Finals: 3 finalists on 2 folds of all 40 images")
    first_repeat = [told for told in witness.standings if told.repeat == 1]
    assert (first_repeat[0].answered, first_repeat[-1].answered) == (0, 3)
    assert first_repeat[-1].leader in numbers


def test_there_is_a_winner_with_a_verdict(
    finished: tuple[SweepOutcome, RunPaths, Witness],
) -> None:
    outcome, paths, _ = finished
    found = final_winner(rows_in(paths), outcome.records, bootstraps=50)
    assert found is not None
    assert found.num_images == 40
    assert 0 <= found.accuracy.low <= found.accuracy.corrected <= found.accuracy.high <= 1
    assert len(found.verdicts) == 1
    assert "the tutorial's" in found.verdicts[0].sentence


def test_a_finished_sweep_has_nothing_to_add_to_its_finals(
    finished: tuple[SweepOutcome, RunPaths, Witness], tiny_dataset: Dataset
) -> None:
    _, paths, _ = finished
    before, witness = rows_in(paths), Witness()
    run_sweep(spec_of(), tiny_dataset, paths, witness)
    assert rows_in(paths) == before
    assert witness.notes == []


def test_finals_go_on_where_they_were_interrupted(
    finished: tuple[SweepOutcome, RunPaths, Witness], tiny_dataset: Dataset, tmp_path: Path
) -> None:
    """The second start gives the answers that one start would have given."""
    _, whole, _ = finished
    paths = RunPaths(tmp_path / "again")
    shutil.copytree(whole.root, paths.root, ignore=shutil.ignore_patterns("finals"))

    class Interrupting(Witness):
        def noted(self, sentence: str) -> None:
            super().noted(sentence)
            os.kill(os.getpid(), signal.SIGINT)

    assert run_sweep(spec_of(), tiny_dataset, paths, Interrupting()).interrupted
    assert run_sweep(spec_of(), tiny_dataset, paths, Witness()).interrupted is False
    assert timeless(rows_in(paths)) == timeless(rows_in(whole))


def test_a_task_leaves_word_that_it_has_begun_and_one_that_waits_for_room_does_not() -> None:
    """The first has all cores of its machine until it is ended."""
    (node,) = AliveNodes().nodes()
    lane = replace(CPU, slots=1, threads=2, node=node)
    first = send(lane, 0.0, time.sleep, 600)
    until_s = time.monotonic() + 60
    while first.is_left_waiting(NOT_BEGUN_S + 1) and time.monotonic() < until_s:
        time.sleep(0.1)
    second = send(lane, 0.0, time.sleep, 0)
    time.sleep(1)
    later_s = NOT_BEGUN_S + 1
    assert (first.is_left_waiting(later_s), second.is_left_waiting(later_s)) == (False, True)
    first.cancel()
    ray.get(second.ref, timeout=60)
    assert not second.is_left_waiting(later_s)


def test_one_that_diverged_on_folds_is_not_tried_again(
    finished: tuple[SweepOutcome, RunPaths, Witness], tiny_dataset: Dataset, tmp_path: Path
) -> None:
    outcome, whole, _ = finished
    paths = RunPaths(tmp_path / "diverging")
    shutil.copytree(whole.root, paths.root, ignore=shutil.ignore_patterns("finals"))
    finalists = {row.trial_number for row in rows_in(whole)}
    victim = next(r for r in outcome.records if r.trial_number in finalists and not r.first)
    board = Leaderboard(paths.leaderboard)
    (row,) = board.read_trials("tiny", [victim.trial_number], heavy=True)
    board.append(replace(row, lr=1e38))
    first, second = Witness(), Witness()
    for witness in (first, second):
        run_sweep(spec_of(), tiny_dataset, paths, witness)
    told = f"Finals: trial {victim.trial_number} is no finalist any more: "
    assert [note for note in first.notes if note.startswith(told)]
    assert second.notes == []
    assert {row.trial_number for row in rows_in(paths)} == finalists - {victim.trial_number}


def test_the_winner_of_the_finals_is_the_best_and_what_is_trained_again(
    finished: tuple[SweepOutcome, RunPaths, Witness], tmp_path: Path
) -> None:
    outcome, paths, _ = finished
    found = final_winner(rows_in(paths), outcome.records)
    assert found is not None
    shown = command("best", "--runs", paths.root, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert f": trial {found.trial_number}" in shown.stdout
    assert "corrected for the choice" in shown.stdout
    again = command("retrain", "--runs", paths.root, cwd=tmp_path)
    assert f"Training trial {found.trial_number} of sweep tiny again" in again.stdout, again.stderr
    score = found.score_of(found.trial_number)
    assert score is not None
    assert f"{score.sentence}." in again.stdout


def test_finalists_that_answer_together_are_one_model(
    finished: tuple[SweepOutcome, RunPaths, Witness], tmp_path: Path, tiny_folder: Path
) -> None:
    outcome, paths, _ = finished
    found = final_winner(rows_in(paths), outcome.records, most_members=3)
    assert found is not None
    made = command("retrain", "--ensemble", "3", "--runs", paths.root, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert found.ensemble is not None
    saved = load_model(paths.model("tiny-ensemble"))
    assert len(saved.members) == len(found.ensemble.members)
    if len(saved.members) > 1:
        told = saved.description.provenance["trial_numbers"]
        assert told == list(found.ensemble.members)
    said = command("predict", "latest", tiny_folder / "val", "--runs", paths.root, cwd=tmp_path)
    assert len(said.stdout.splitlines()) >= 17, said.stderr


def test_the_likely_winner_is_judged_as_it_is_kept(tiny_dataset: Dataset, tmp_path: Path) -> None:
    """The better of two that train a stage; retraining it gives as many trainings as its score."""
    spec = tiny_spec(
        search={"trials": 2, "early_stopping": "none", "first": []},
        space={
            "lr": {"log_uniform": [1e-3, 1e-2]}, "frozen_stages": 8, "batchnorm": "frozen",
            "batch_size": 8,
        },
        finals={"count": 2, "folds": 2, "repeats": 1, "share": 10},
    )  # fmt: skip
    paths = RunPaths(tmp_path / "runs")
    outcome = run_sweep(spec, tiny_dataset, paths, Witness())
    likely, other = rank(outcome.records)
    sizes = {row.trial_number: row.soup_size for row in rows_in(paths)}
    assert sizes == {likely.trial_number: 3, other.trial_number: 1}
    found = final_winner(rows_in(paths), outcome.records)
    assert found is not None
    score = found.score_of(likely.trial_number)
    assert score is not None
    assert score.soup_size == 3
