"""What `antsbees report` promises: a page or every number, whatever became of the images."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from antsbees.data.datasets import Dataset
from results.finals import Finals, FoldRecord
from results.leaderboard import Leaderboard
from results.report.drawing import page as page_module
from sweeps import cli
from sweeps.paths import RunPaths
from sweeps.reporting import writing
from sweeps.reporting.gathering import Opened
from sweeps.running.resuming import require_same_sweep
from tests.sweeps.sweep_fakes import epoch, make_spec, row

NUM_FOLDS = 2


@pytest.fixture
def paths(
    tmp_path: Path, tiny_dataset: Dataset, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> RunPaths:
    """A finished sweep on the tiny drawn images; the tutorial's configuration wins."""
    monkeypatch.setattr(page_module, "_library", lambda: "vegaEmbed")
    paths = RunPaths(tmp_path / "runs")
    paths.sweep("test").mkdir(parents=True)
    spec = make_spec(data=str(tiny_folder))
    require_same_sweep(spec, tiny_dataset, paths.spec("test"))
    for number, first in enumerate(("tutorial", None)):
        record = row(
            number, 0.9 - 0.1 * number, first=first, curve=[epoch(1), epoch(2)],
            dataset_fingerprint=tiny_dataset.fingerprint, backbone="efficientnet_lite0",
        )  # fmt: skip
        Leaderboard(paths.leaderboard).append(record)
        for fold in range(NUM_FOLDS):
            Finals(paths.finals).append([answers(tiny_dataset, number, fold, 0.95 - 0.05 * number)])
    return paths


def answers(
    dataset: Dataset, number: int, fold: int, confidence: float, missed: int | None = None
) -> FoldRecord:
    """A fold that is all right, but for one image."""
    known = dataset.pooled.labels
    places = list(range(fold, len(known), NUM_FOLDS))
    given = []
    for place in places:
        right = 0.2 if place == missed else confidence
        given.append([right, 1 - right] if known[place] == 0 else [1 - right, right])
    return FoldRecord(
        sweep="test", trial_number=number, repeat=0, fold=fold, num_folds=NUM_FOLDS, score=0.9,
        accuracy=0.9, loss=0.1, seconds=1.0, images=places,
        labels=[known[place] for place in places], probabilities=given,
    )  # fmt: skip


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str | Path
) -> str:
    """Run a command that must succeed, and return what it printed."""
    monkeypatch.setattr(sys, "argv", ["antsbees", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 0
    told = capsys.readouterr()
    assert told.err == ""
    return told.out


def test_a_page_is_written_and_named(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run(monkeypatch, capsys, "report", "--runs", paths.root)
    assert told == f"{paths.report('test')}\n"
    content = paths.report("test").read_text()
    assert "The winner is the tutorial&#39;s." in content
    assert "<bdi>ants</bdi>" not in content  # nothing was missed by all, and nobody disagreed
    assert "antsbees sweep test.yaml --name test" in content


def test_every_number_is_printed(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(run(monkeypatch, capsys, "report", "--runs", paths.root, "--format", "json"))
    assert told["verdict"]["trial_number"] == 0
    assert [cell["truth"] for cell in told["confusion"]] == ["ants", "ants", "bees", "bees"]
    assert told["was_compared"]
    assert not paths.report("test").exists()


def test_pictures_are_shown_unless_they_are_not_wanted(
    paths: RunPaths, tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    worse = [answers(tiny_dataset, 0, fold, 0.8, missed=3) for fold in range(NUM_FOLDS)]
    Finals(paths.finals).append(worse)  # now the other trial wins
    run(monkeypatch, capsys, "report", "--runs", paths.root)
    with_pictures = paths.report("test").read_text()
    run(monkeypatch, capsys, "report", "--runs", paths.root, "--no-images")
    without = paths.report("test").read_text()
    assert with_pictures.count("data:image/jpeg;base64,") == 1
    assert "data:image/jpeg" not in without
    for content in (with_pictures, without):
        assert tiny_dataset.pooled.paths[3].name in content


def test_images_that_are_gone_are_no_reason_for_no_report(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths.spec("test").unlink()
    run(monkeypatch, capsys, "report", "--runs", paths.root)
    content = paths.report("test").read_text()
    assert "The images are not at hand: " in content
    assert "class 0" in content


def test_images_that_a_user_names_must_be_the_sweeps(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", f"antsbees report --data nowhere --runs {paths.root}".split())
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: no images at ")


def test_a_page_is_written_again_while_its_sweep_runs(
    paths: RunPaths, tiny_dataset: Dataset
) -> None:
    """Once more only if there are new rows; a browser reads the last one no more."""
    pages: list[str] = []
    waits: list[float] = []
    lock = FileLock(paths.lock("test"))

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            Leaderboard(paths.leaderboard).append(row(2, 0.7))
        if len(waits) == 4:
            lock.release()

    with lock:
        for file in writing.follow(paths, "test", Opened(tiny_dataset), wait=wait):
            pages.append(file.read_text())
    assert len(pages) == 3
    assert ['http-equiv="refresh"' in content for content in pages] == [True, True, False]
    assert "2 complete trials" in pages[0]
    assert "3 complete trials" in pages[2]


def test_a_report_that_fails_is_a_sentence(paths: RunPaths, tiny_dataset: Dataset) -> None:
    (paths.root / "reports").write_text("in the way")
    told = writing.closing_line(paths, "test", tiny_dataset)
    assert told.startswith("No report could be written: FileExistsError: ")
    assert "\n" not in told
