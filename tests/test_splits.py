"""Images are divided anew for studies: every one once, by class, the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from antsbees.data.datasets import Dataset
from antsbees.data.folder import read_folder
from benchmarks.studies.splits import few, resplit, small


def origins(folder: Path) -> set[Path]:
    return {path.resolve() for path in folder.rglob("*.jpg")}


def test_a_resplit_holds_every_image_once_in_the_shares(
    tiny_dataset: Dataset, tmp_path: Path
) -> None:
    unseen = resplit(tiny_dataset, tmp_path / "split", seed=1)
    again = resplit(tiny_dataset, tmp_path / "again", seed=1)
    other = resplit(tiny_dataset, tmp_path / "other", seed=2)
    found = read_folder(tmp_path / "split")
    assert found.classes == tiny_dataset.classes
    assert (len(found.train), len(found.val)) == (16, 10)
    parts = [origins(tmp_path / "split" / "train"), origins(tmp_path / "split" / "val")]
    parts.append(origins(unseen))
    assert [len(part) for part in parts] == [16, 10, 14]
    assert set.union(*parts) == {path.resolve() for path in tiny_dataset.pooled.paths}
    assert origins(again) == origins(unseen)
    assert origins(other) != origins(unseen)


def test_few_keeps_some_training_images_a_class_and_all_others(
    tiny_dataset: Dataset, tmp_path: Path
) -> None:
    found = read_folder(few(tiny_dataset, tmp_path / "few", 5, seed=0))
    assert found.train.labels == (0,) * 5 + (1,) * 5
    assert found.val.labels == tiny_dataset.val.labels


def test_small_images_keep_their_place_and_shape(tiny_dataset: Dataset, tmp_path: Path) -> None:
    found = read_folder(small(tiny_dataset.root, tmp_path / "small", 24))
    assert (len(found.train), found.classes) == (len(tiny_dataset.train), tiny_dataset.classes)
    with Image.open(found.train.paths[0]) as image:
        assert image.size == (24, 24)


def test_a_place_already_taken_is_not_mixed_with(tiny_dataset: Dataset, tmp_path: Path) -> None:
    resplit(tiny_dataset, tmp_path / "split", seed=1)
    with pytest.raises(FileExistsError):
        resplit(tiny_dataset, tmp_path / "split", seed=2)
