"""What a user names is found: a path, the drawn set, or what is best at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from antsbees.data.sources import open_dataset
from tests.antsbees.data.image_sets import refusal, write_set


def test_a_source_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path / "nowhere")
    assert message.startswith(f"no images at {tmp_path / 'nowhere'}: give a folder with train/")
    assert "'synthetic' or 'auto'" in message


def test_synthetic_is_drawn_once(own_cache: Path) -> None:
    found = open_dataset("synthetic")
    assert (found.name, found.classes, len(found.train)) == ("synthetic", ("ants", "bees"), 4)
    assert found.root.parent == own_cache
    assert open_dataset("synthetic") == found


def test_auto_takes_the_folder_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTSBEES_DATA", str(write_set(tmp_path / "mine")))
    assert open_dataset("auto").name == "mine"


def test_auto_draws_when_nothing_can_be_downloaded_and_says_why_and_how() -> None:
    found = open_dataset("auto")
    assert found.name == "synthetic"
    assert found.notice.startswith("Drawn images, not photographs. ")
    assert "could not be downloaded ([Errno 111] Connection refused)" in found.notice
    assert "DATA=<folder> with make, --data <folder>, or ANTSBEES_DATA=<folder>" in found.notice
    assert open_dataset("synthetic").notice is None
