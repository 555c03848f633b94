"""Names of files reach the terminal as text: no markup, no escape sequence."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from antsbees.checkpoints import ModelDescription, save_model
from antsbees.config import TaskConfig, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.networks.backbones import load_backbone
from sweeps import cli

MARKUP, ESCAPE = "[red]x.jpg", "\x1b[31mboo.jpg"


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run a command in this process, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["antsbees", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model to predict with, not trained."""
    folder = tmp_path_factory.mktemp("models") / "model"
    task = TaskConfig("resnet18", "none", image_size=32)
    network = load_backbone("resnet18", "none").trained_part(0, num_classes=2, seed=0).eval()
    save_model(
        folder,
        network,
        ModelDescription(task, TrialConfig(0), ("ants", "bees"), "t", "f", "fp32"),
        "",
    )
    return folder


def test_names_of_images_are_printed_as_they_are(
    model: Path,
    tmp_path: Path,
    tiny_dataset: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in (MARKUP, ESCAPE):
        shutil.copy(tiny_dataset.val.paths[0], tmp_path / name)
    (tmp_path / "\x1b[2Jbad.jpg").write_text("no image")
    assert call(monkeypatch, "predict", str(model), str(tmp_path)) == 1
    told = capsys.readouterr()
    assert "/[red]x.jpg" in told.out
    assert r"/\x1b[31mboo.jpg" in told.out
    assert r"/\x1b[2Jbad.jpg" in told.err
    assert "\x1b" not in told.out + told.err


def test_names_in_messages_are_printed_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "data", str(tmp_path / MARKUP)) == 2
    assert call(monkeypatch, "sweep", ESCAPE) == 2
    told = capsys.readouterr()
    assert "[red]x.jpg" in told.err
    assert r"there is no spec \x1b[31mboo.jpg" in told.err
    assert "\x1b" not in told.err
