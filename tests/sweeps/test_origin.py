"""A row's images are found again where they lie, and are no others; its sweep's cap holds."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from antsbees.data.sources import open_dataset
from antsbees.data.synthetic import drawing
from antsbees.errors import DataError
from results.schema import TrialRecord
from sweeps.errors import UsageError
from sweeps.origin import find_origin
from tests.sweeps import sweep_fakes

GIB = 1024**3


def started_with(folder: Path, data: str, root: Path, **changes: Any) -> Path:
    """Write the file of a sweep on images."""
    path = folder / "sweep.json"
    plain = {"data": data, "dataset_root": str(root), "cache": {"max_gb": 0.5}} | changes
    path.write_text(json.dumps(plain))
    return path


@pytest.fixture
def images(tiny_folder: Path, tmp_path: Path) -> Path:
    """A folder of images that a test may move."""
    return shutil.copytree(tiny_folder, tmp_path / "tiny")


@pytest.fixture
def row(images: Path) -> TrialRecord:
    return row_on(images)


def row_on(images: Path) -> TrialRecord:
    dataset = open_dataset(str(images))
    return sweep_fakes.row(dataset=dataset.name, dataset_fingerprint=dataset.fingerprint)


def test_images_are_found_whatever_folder_one_is_in(
    images: Path, row: TrialRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = started_with(tmp_path, "tiny", images)  # a path from where the sweep was started
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert find_origin(row, file).dataset == open_dataset(str(images))


@pytest.mark.parametrize(("max_gb", "expected"), [(0.5, GIB // 2), (0, 0), (20, 20 * GIB)])
def test_the_cap_is_that_of_the_sweep(
    images: Path, row: TrialRecord, tmp_path: Path, max_gb: float, expected: int
) -> None:
    file = started_with(tmp_path, "tiny", images, cache={"max_gb": max_gb})
    assert find_origin(row, file).cache_max_bytes == expected
    assert find_origin(row, file, str(images)).cache_max_bytes == expected


def test_images_that_moved_are_named(images: Path, row: TrialRecord, tmp_path: Path) -> None:
    file = started_with(tmp_path, str(images), images)
    images.rename(tmp_path / "moved")
    with pytest.raises(DataError, match=f"no images at {images}"):
        find_origin(row, file)
    dataset = find_origin(row, file, str(tmp_path / "moved")).dataset
    assert (dataset.root, dataset.name) == (tmp_path / "moved", "tiny")


def test_a_folder_called_synthetic_is_no_drawn_set(images: Path, tmp_path: Path) -> None:
    folder = tmp_path / "synthetic"
    images.rename(folder)
    named = row_on(folder)
    for row in (named, replace(named, dataset="synthetic")):
        file = started_with(tmp_path, str(folder), folder)
        assert find_origin(row, file).dataset.root == folder


@pytest.mark.parametrize("data", ["auto", "synthetic"])
def test_a_drawn_set_that_is_gone_is_drawn_again(
    images: Path, row: TrialRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    """The new one lies in another cache, drawn already, for drawing takes a minute."""
    monkeypatch.setenv("ANTSBEES_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    images.rename(tmp_path / "cache" / f"synthetic-{drawing.VERSION}")
    drawn = replace(row, dataset="synthetic")
    file = started_with(tmp_path, data, tmp_path / "gone")
    assert find_origin(drawn, file).dataset == open_dataset("synthetic")


def test_other_images_are_refused(images: Path, row: TrialRecord, tmp_path: Path) -> None:
    file = started_with(tmp_path, "tiny", images)
    next((images / "val" / "bees").iterdir()).unlink()
    with pytest.raises(DataError, match="are not those of sweep test: their fingerprint is"):
        find_origin(row, file)


def test_without_the_sweeps_file_the_images_are_to_be_named(
    images: Path, row: TrialRecord, tmp_path: Path
) -> None:
    missing = tmp_path / "sweep.json"
    with pytest.raises(UsageError) as refused:
        find_origin(row, missing)
    assert str(refused.value) == f"{missing} is missing; name the images with --data"
    assert find_origin(row, missing, str(images)).cache_max_bytes == 8 * GIB


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "5", '{"data": "auto"}'])
def test_a_damaged_file_of_the_sweep_is_told(row: TrialRecord, tmp_path: Path, text: str) -> None:
    file = tmp_path / "sweep.json"
    file.write_text(text)
    with pytest.raises(UsageError, match="is damaged; it describes no sweep"):
        find_origin(row, file)
