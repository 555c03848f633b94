"""The study of answers sums up what it measured, and goes on where it was."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.studies import answer as study
from benchmarks.studies.rivals import Answer, Task


def answer(
    way: str, seed: int, loss: float, told: float | None = None, low: float | None = None
) -> Answer:
    high = None if low is None else 0.9
    return Answer(
        way, "photographs", seed, [loss, loss], [1.0, 0.0], 10.0, told, low, high, found_s=seed
    )


def test_the_table_pairs_splits_and_says_how_far_off_a_claim_is() -> None:
    answers = [
        answer("probe", 0, 0.5),
        answer("probe", 1, 0.7),
        answer("ours", 0, 0.4, 0.6, 0.4),
        answer("ours", 1, 0.6, 0.7, 0.6),
    ]
    row = study.table(answers).splitlines()[-1]
    told = "| photographs | ours | 2 | 50.0 % | 0.500 | 0.100 ± 0.000 | +15.0 | 100 % | 10 | 0 |  |"
    assert row == told
    many = Answer("ours", "s", 0, [0.1] * 400, [1.0] * 400, 1.0, 0.9, 0.85, 0.95)
    assert study.is_inside(many) is False
    assert study.is_inside(answer("probe", 0, 0.5)) is None


def test_a_search_is_timed_until_it_is_as_accurate_as_the_tuned_script() -> None:
    ours = replace(answer("ours", 0, 0.4), progress=[(3.0, 0.8), (7.0, 0.9)])
    assert study.reached_s(ours, 0.85) == 7
    assert study.reached_s(ours, 0.9) == 7
    assert study.reached_s(ours, 0.95) is study.reached_s(ours, None) is None
    told = study.table([answer("tuned Ray Tune", 0, 0.5, 0.8), ours]).splitlines()[-1]
    assert told.endswith("| 3 |")


def test_what_is_known_is_not_measured_again(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int, int]] = []

    def measured(task: Task) -> list[Answer]:
        places = (task.folder / "train", task.folder / "val", task.unseen)
        counts = [sum(1 for path in place.rglob("*") if path.is_file()) for place in places]
        asked.append((task.seed, counts[0], sum(counts)))
        return [answer("probe", task.seed, 0.5)]

    monkeypatch.setitem(study.WAYS, "probe", measured)
    options = argparse.Namespace(
        out=tmp_path / "out.jsonl", first_split=0, splits=2, sets="photographs", ways="probe",
        data=tiny_folder, minutes=1.0,
    )  # fmt: skip
    options.out.write_text(json.dumps(answer("probe", 0, 0.5).to_plain()) + "\n")
    list(study.study(options))
    ((seed, learnt, together),) = asked
    assert seed == 1
    assert learnt / together == pytest.approx(0.4, abs=0.05)
