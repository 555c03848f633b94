"""A model is judged by the user's test images, and the leaderboard counts how often."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from antsbees.checkpoints import ModelDescription, save_ensemble, save_model
from antsbees.config import TaskConfig, TrialConfig
from antsbees.data.folder import read_folder
from antsbees.networks.backbones import load_backbone
from results.leaderboard import Leaderboard
from sweeps import cli
from sweeps.paths import RunPaths
from tests.sweeps.sweep_fakes import epoch, row

TASK = TaskConfig("resnet18", "none", image_size=32)


@pytest.fixture
def images(tiny_folder: Path, tmp_path: Path) -> Path:
    """The tiny images, with six of the validation images for a test: one of them learnt from."""
    folder = shutil.copytree(tiny_folder, tmp_path / "tiny")
    for name in ("ants", "bees"):
        (folder / "test" / name).mkdir(parents=True)
        for path in sorted((folder / "val" / name).iterdir())[:3]:
            shutil.move(path, folder / "test" / name)
    shutil.copy(next((folder / "train" / "bees").iterdir()), folder / "test" / "bees" / "copy.png")
    return folder


@pytest.fixture
def paths(images: Path, tmp_path: Path) -> RunPaths:
    """The leaderboard and the sweep's file of two trials."""
    paths, dataset = RunPaths(tmp_path / "runs"), read_folder(images)
    paths.sweep("test").mkdir(parents=True)
    plain = {"data": str(images), "dataset_root": str(images), "cache": {"max_gb": 1}}
    paths.spec("test").write_text(json.dumps(plain))
    for number in (1, 2):
        record = row(
            number, curve=[epoch(1)], probabilities=[[0.25, 0.75]],
            dataset="tiny", dataset_fingerprint=dataset.fingerprint,
        )  # fmt: skip
        Leaderboard(paths.leaderboard).append(record)
    return paths


def description(**provenance: Any) -> ModelDescription:
    known = ModelDescription(TASK, TrialConfig(0), ("ants", "bees"), "tiny", "f", "fp32")
    return replace(known, provenance=provenance)


def save(paths: RunPaths, name: str, **provenance: Any) -> None:
    network = load_backbone("resnet18", "none").trained_part(0, num_classes=2, seed=0).eval()
    save_model(paths.model(name), network, description(**provenance), "")


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str | Path
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["antsbees", "test", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    told = capsys.readouterr()
    return int(caught.value.code or 0), told.out, told.err


def test_a_score_has_intervals_and_every_look_is_counted(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save(paths, "one", sweep="test", trial_number=1)
    save(paths, "two", sweep="test", trial_number=2)
    board = Leaderboard(paths.leaderboard)
    before = board.read("test", heavy=True)
    code, out, err = run(monkeypatch, capsys, "one", "--runs", paths.root)
    assert (code, err) == (0, "")
    assert out.startswith("7 test images of tiny, of 2 classes\n")
    assert [line.split()[0] for line in out.splitlines()[2:4]] == ["accuracy", "log-loss"]
    assert "1 of them are copies of images in train/ or val/" in out
    assert out.endswith("Looked at for the first time in sweep test.\n")
    assert board.read("test", heavy=True) == [replace(before[0], test_looks=1), before[1]]

    run(monkeypatch, capsys, "one", "--runs", paths.root)
    told = json.loads(run(monkeypatch, capsys, "two", "--runs", paths.root, "--format", "json")[1])
    assert (told["looks"], told["trials"], told["copies"]) == (3, 2, 1)
    assert told["score"]["num_images"] == 7
    assert told["score"]["accuracy_95"]["low"] < told["score"]["accuracy"]
    assert [record.test_looks for record in board.read("test")] == [2, 1]


def test_an_ensemble_is_judged_as_one_model(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = load_backbone("resnet18", "none").trained_part(0, num_classes=2, seed=0).eval()
    members = [(network, description()), (network, description())]
    origin = {"sweep": "test", "trial_numbers": [2, 1]}
    save_ensemble(paths.model("both"), members, {}, origin, "")
    code, out, _ = run(monkeypatch, capsys, "--runs", paths.root)  # the newest model
    assert (code, out.splitlines()[0]) == (0, "7 test images of tiny, of 2 classes")
    looks = [record.test_looks for record in Leaderboard(paths.leaderboard).read("test")]
    assert looks == [None, 1]


def test_what_cannot_be_judged_is_not_counted(
    paths: RunPaths,
    images: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(paths, "unknown", sweep="test", trial_number=7)
    save(paths, "nameless")
    save(paths, "one", sweep="test", trial_number=1)
    refused = {
        "unknown": "error: trial 7 of sweep 'test', which the model is of, is not in ",
        "nameless": "error: the model does not say of which trial it is",
        "one": f"error: there is no folder test/ in {images}",
    }
    shutil.rmtree(images / "test")
    for name, sentence in refused.items():
        code, out, err = run(monkeypatch, capsys, name, "--runs", paths.root)
        assert (code, out) == (2, "")
        assert err.startswith(sentence)
    looks = [record.test_looks for record in Leaderboard(paths.leaderboard).read("test")]
    assert looks == [None, None]
