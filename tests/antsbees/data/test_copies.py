"""The same picture in two places is counted and named."""

from __future__ import annotations

import shutil
from pathlib import Path

from antsbees.data.folder import read_folder
from tests.antsbees.data.image_sets import write_set


def test_images_that_all_differ_give_no_warning(tmp_path: Path) -> None:
    assert read_folder(write_set(tmp_path / "set")).warnings == ()


def test_a_picture_in_train_and_val_is_counted_and_named(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    shutil.copy(root / "train/ants/0.png", root / "val/ants/other name.png")
    shutil.copy(root / "train/bees/1.png", root / "val/bees/9.png")
    assert read_folder(root).warnings == (
        "2 pictures are in both train/ and val/, which makes the validation score too good: "
        "train/ants/0.png = val/ants/other name.png, train/bees/1.png = val/bees/9.png",
    )


def test_a_picture_under_two_labels_is_counted_and_named(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    shutil.copy(root / "train/ants/0.png", root / "train/bees/\x1b.png")
    assert read_folder(root).warnings == (
        "1 picture is in two classes, of which one must be wrong: "
        r"train/ants/0.png = train/bees/\x1b.png",
    )


def test_a_copy_beside_its_original_is_no_matter(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    shutil.copy(root / "train/ants/0.png", root / "train/ants/9.png")
    assert read_folder(root).warnings == ()


def test_of_many_copies_the_first_five_are_named(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", count=8)
    shutil.rmtree(root / "val")
    shutil.copytree(root / "train", root / "val")
    (warning,) = read_folder(root).warnings
    assert warning.startswith("16 pictures are in both train/ and val/")
    assert warning.count(" = ") == 5
    assert warning.endswith(", and 11 more")


def test_the_photographs_have_no_copies(photographs: Path) -> None:
    assert read_folder(photographs).warnings == ()
