"""A folder of images is listed, checked and named by its contents."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from antsbees.data.folder import read_folder
from antsbees.data.sources import open_dataset
from tests.antsbees.data.image_sets import refusal, write_image, write_set


def test_a_folder_is_listed_by_class_in_order(tmp_path: Path) -> None:
    found = open_dataset(str(write_set(tmp_path / "set", ("wasps", "ants", "bees"), count=3)))
    assert (found.name, found.classes) == ("set", ("ants", "bees", "wasps"))
    assert (len(found.train), len(found.val)) == (9, 9)
    assert found.train.labels == (0, 0, 0, 1, 1, 1, 2, 2, 2)
    assert list(found.train.paths) == sorted((tmp_path / "set" / "train").rglob("*.png"))
    assert found.split("val") == found.val
    assert (found.num_skipped, found.notice) == (0, None)


def test_a_file_name_that_is_not_utf8_works(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    shutil.copy(root / "train/ants/0.png", os.fsdecode(os.fsencode(root) + b"/train/ants/\xff.png"))
    assert len(read_folder(root).train) == 5


def test_all_faults_come_in_one_message(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", ("ants", "bees", "wasps"))
    (root / "train" / "flies").mkdir()
    shutil.rmtree(root / "val" / "wasps")
    (root / "val" / "bees" / "0.png").write_bytes(b"broken")
    (root / "train" / "ants" / "it's cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    lines = refusal(root).splitlines()
    assert lines[0] == f"the images in {root} cannot be used:"
    assert lines[1:5] == [
        "  - train/flies/ has no images",
        "  - class flies is in train/ but not in val/",
        "  - class wasps is in train/ but not in val/",
        "  - train/ants/it's cut.png cannot be decoded: cannot identify image file",
    ]
    assert lines[5:] == ["  - val/bees/0.png cannot be decoded: cannot identify image file"]


def test_missing_splits_and_a_single_class_are_named(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    assert refusal(tmp_path).splitlines()[1:] == [
        "  - train/ has no class folders",
        "  - there is no folder val/",
    ]
    lines = refusal(write_set(tmp_path / "set", ("ants",))).splitlines()
    assert lines[1:] == ["  - there is a single class, ants; at least two are needed"]


def test_a_long_list_of_faults_is_cut_and_counted(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    for i in range(60):
        (root / "train" / "ants" / f"bad{i:02}.png").write_bytes(b"broken")
    lines = refusal(root).splitlines()
    assert len(lines) == 1 + 50 + 1
    assert lines[-1] == "  - and 10 more"


def test_files_that_are_no_images_are_skipped_and_counted(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    for name in ("imageNotFound.gif", "notes.txt", "Thumbs.db"):
        (root / "train" / "ants" / name).write_text("none")
    assert read_folder(root).num_skipped == 3
    assert len(read_folder(root).train) == 4


def test_an_image_damaged_after_the_check_is_found(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    read_folder(root)
    (root / "train" / "ants" / "0.png").write_bytes(b"broken")
    assert "train/ants/0.png cannot be decoded" in refusal(root)


def test_the_fingerprint_depends_on_names_and_contents_and_not_on_the_place(
    tmp_path: Path,
) -> None:
    first = read_folder(write_set(tmp_path / "one"))
    assert read_folder(write_set(tmp_path / "far" / "two")).fingerprint == first.fingerprint
    assert len(first.fingerprint) == 64
    (tmp_path / "one" / "train/ants/0.png").rename(tmp_path / "one" / "train/ants/00.png")
    renamed = read_folder(tmp_path / "one").fingerprint
    write_image(tmp_path / "one" / "train/ants/00.png", 255)
    changed = read_folder(tmp_path / "one").fingerprint
    assert len({first.fingerprint, renamed, changed}) == 3


def test_class_folders_that_are_links_are_counted_like_others(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    for split in ("train", "val"):
        (root / split / "ants").rename(tmp_path / f"{split} ants")
        (root / split / "ants").symlink_to(tmp_path / f"{split} ants")
    (tmp_path / "train ants" / "notes.txt").touch()
    (tmp_path / "train ants" / "circle").symlink_to(root / "train")
    found = read_folder(root)
    assert (len(found.train), len(found.val), found.num_skipped) == (4, 4, 1)


def test_an_image_that_cannot_be_read_is_named_among_the_faults(tmp_path: Path) -> None:
    """Reading a process's memory from its start fails, for the superuser too."""
    root = write_set(tmp_path / "set", ("ants", "bees", "wasps"))
    (root / "train" / "ants" / "locked.png").symlink_to("/proc/self/mem")
    shutil.rmtree(root / "val" / "wasps")
    assert refusal(root).splitlines()[1:] == [
        "  - class wasps is in train/ but not in val/",
        "  - train/ants/locked.png cannot be read: Input/output error",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may list every folder")
def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    (root / "train" / "ants").chmod(0)
    try:
        assert refusal(root) == f"{root}/train/ants cannot be read: Permission denied"
    finally:
        (root / "train" / "ants").chmod(0o755)
