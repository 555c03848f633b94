"""Finals come to an end where machines do not do what they should."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from antsbees.data.datasets import Dataset
from antsbees.errors import AntsbeesError
from results.finals import Finals, FoldRecord
from sweeps.paths import RunPaths
from sweeps.running import cluster, finals, tasks
from sweeps.running.finals import run_finals
from sweeps.running.folding import Folded
from sweeps.running.lanes import Place
from tests.sweeps.fake_cluster import ID1, ID2, ONE, FakeCluster
from tests.sweeps.sweep_fakes import Notes, make_spec, row

SPEC = make_spec(finals={"folds": 2, "repeats": 2, "count": 2}, address="auto")
DEEP = {"backbone": "efficientnet_lite0", "frozen_stages": 7, "trained_part_s": 1.0,
        "weights": "default", "image_size": 224, "views": 1, "data_seed": 0}  # fmt: skip
RECORDS = [row(0, 0.9, first="tutorial", lr=0.01, **DEEP), row(1, 0.9, lr=0.02, **DEEP)]


def answer(job: Any, asked: Any = None, *_: Any) -> Any:
    """Find no near-duplicates, and train everybody: trial 0 is a little better."""
    if isinstance(asked, str):
        return list(range(40))
    rows = [
        FoldRecord(
            sweep="test", trial_number=number, repeat=asked.repeat, fold=fold, num_folds=2,
            score=0.5, accuracy=0.5, loss=0.5 + number * (0.02 - 0.03 * fold), seconds=1.0,
            images=list(asked.folds[fold]), labels=[0] * len(asked.folds[fold]),
            probabilities=[[0.6, 0.4]] * len(asked.folds[fold]),
        )
        for number, _ in asked.trials
        for fold in asked.without
    ]  # fmt: skip
    return Folded(rows)


def diverge_later(job: Any, asked: Any = None, *_: Any) -> Any:
    """Lead the first repeat with trial 0, and diverge with it in the second."""
    if not isinstance(asked, str) and asked.repeat == 1 and asked.trials[0][0] == 0:
        return Folded([], {0: "the loss is no longer finite"})
    return answer(job, asked)


def diverge_in_the_last_fold(job: Any, asked: Any = None, *_: Any) -> Any:
    if not isinstance(asked, str) and list(asked.without) != [1]:
        return answer(job, asked)
    return diverge_later(job, asked)


def fail(job: Any, asked: Any = None, *_: Any) -> Any:
    if not isinstance(asked, str):
        raise AntsbeesError("out of memory")
    return answer(job, asked)


def held(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    dataset: Dataset,
    ray: FakeCluster,
    closed: Collection[Place] = (),
) -> tuple[Finals, Notes]:
    """Run finals; return their table, and what the user was told."""

    @contextmanager
    def connected(*_: Any) -> Iterator[None]:
        yield

    ray.put_in(monkeypatch)
    monkeypatch.setattr(cluster, "connected", connected)
    monkeypatch.setattr(finals, "job_of", lambda *_: "job")
    monkeypatch.setattr(tasks, "NOT_BEGUN_S", 0.0)
    paths, notes = RunPaths(folder), Notes()
    assert not run_finals(SPEC, dataset, paths, RECORDS, notes, closed)
    return Finals(paths.finals), notes


def told(notes: Notes) -> list[str]:
    """Return the sentences, without the first, which says what finals are."""
    sentences = [taken[1] for taken in notes.taken if taken[0] == "noted"]
    assert sentences[0].startswith("Finals: 2 finalists on 2 folds of all 40 images")
    return sentences[1:]


def turns_in(table: Finals) -> set[tuple[int, int]]:
    return {(fold.trial_number, fold.repeat) for fold in table.read("test")}


def test_turns_that_a_machine_does_not_begin_are_had_on_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_dataset: Dataset
) -> None:
    ray = FakeCluster({ID2: answer})
    table, notes = held(monkeypatch, tmp_path, tiny_dataset, ray)
    assert turns_in(table) == {(trial, repeat) for trial in (0, 1) for repeat in (0, 1)}
    assert told(notes) == [
        "Finals: nothing began on machine n1 in 60 s; what waits there goes elsewhere"
    ]
    assert set(ray.cancelled) == {ID1}


def test_a_machine_that_the_search_closed_is_asked_for_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_dataset: Dataset
) -> None:
    ray = FakeCluster({ID2: answer})
    table, notes = held(monkeypatch, tmp_path, tiny_dataset, ray, [ONE.place])
    assert len(turns_in(table)) == 4
    assert (set(ray.asked), told(notes)) == ({ID2}, [])


def test_one_that_diverges_later_leads_no_longer_and_cannot_win(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_dataset: Dataset
) -> None:
    ray = FakeCluster({ID1: diverge_later, ID2: diverge_later})
    table, notes = held(monkeypatch, tmp_path, tiny_dataset, ray)
    standings = [taken[1] for taken in notes.taken if taken[0] == "finals"]
    assert [standing.leader for standing in standings if standing.repeat == 1][-1] == 0
    assert standings[-1].leader == 1
    assert told(notes) == ["Finals: trial 0 is no finalist any more: the loss is no longer finite"]
    assert {fold.trial_number for fold in table.read_undiverged("test")} == {1}


def test_a_fold_that_ends_well_does_not_hide_that_another_diverged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_dataset: Dataset
) -> None:
    """The news is a row of fold 0, which may end later than the fold that diverged."""
    answers = {ID1: diverge_in_the_last_fold, ID2: diverge_in_the_last_fold}
    ray = FakeCluster(answers, last_first=True)
    table, notes = held(monkeypatch, tmp_path, tiny_dataset, ray)
    assert told(notes) == ["Finals: trial 0 is no finalist any more: the loss is no longer finite"]
    assert table.failures("test", 2) == {(0, 1)}
    assert {fold.trial_number for fold in table.read_undiverged("test")} == {1}


def test_one_whose_task_fails_is_not_said_to_be_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_dataset: Dataset
) -> None:
    """The next start tries it again."""
    ray = FakeCluster({ID1: fail, ID2: fail})
    _, notes = held(monkeypatch, tmp_path, tiny_dataset, ray)
    assert sorted(told(notes)) == [
        f"Finals: trial {number} could not be trained on folds: out of memory" for number in (0, 1)
    ]
