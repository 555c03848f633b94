"""What is made ready before a sweep: images with what is to be said of them, and weights."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from antsbees.data.datasets import Dataset
from antsbees.errors import WeightsError
from sweeps import preparing


def told_of(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what is printed when these images are opened."""
    monkeypatch.setattr(preparing, "open_dataset", lambda source, progress: dataset)
    out = io.StringIO()
    opened = preparing.open_images("anything", Console(file=out, width=80))
    assert opened is dataset
    return out.getvalue()


def test_sound_images_are_opened_in_silence(
    tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told_of(tiny_dataset, monkeypatch) == ""


def test_drawn_images_and_warnings_are_told_as_they_are(
    tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = replace(tiny_dataset, notice="Drawn images.", warnings=("[bold]ants[/] are few",))
    panel, warning = told_of(noted, monkeypatch).rsplit("╯\n", 1)
    assert "no photographs" in panel
    assert "Drawn images." in panel
    assert warning == "warning: [bold]ants[/] are few\n"


def test_a_download_shows_a_bar_that_goes_away() -> None:
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=True)
    with preparing._download_progress(console) as progress:
        assert out.getvalue() == ""  # nothing is downloaded yet
        progress(500_000, 1_000_000)
        progress(1_000_000, 1_000_000)
    assert "downloading photographs" in out.getvalue()


def test_weights_that_are_not_there_are_found_out_before_the_first_trial(tmp_path: Path) -> None:
    preparing.require_weights("efficientnet_lite2", "default")
    preparing.require_weights("resnet18", "none")
    with pytest.raises(WeightsError, match=r"mine\.pth"):
        preparing.require_weights("resnet18", str(tmp_path / "mine.pth"))
