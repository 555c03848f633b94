"""A zip of images is the folder it holds, or is refused with a sentence."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from antsbees.data.folder import read_folder
from antsbees.data.sources import open_dataset
from tests.antsbees.data.image_sets import refusal, write_image, write_set, zipped


@pytest.mark.parametrize("name", ["a space", "it's", 'a "quote"', "Ämeisen 蜂", "a\nb", "%d"])
def test_odd_paths_work(tmp_path: Path, name: str) -> None:
    root = write_set(tmp_path / name, (name, "bees"))
    write_image(root / "train" / name / f"{name}.png")
    found = open_dataset(str(root))
    assert set(found.classes) == {name, "bees"}
    assert len(found.train) == 5
    assert open_dataset(str(zipped(tmp_path / f"{name}.zip", root))).classes == found.classes


@pytest.mark.parametrize("inside", ["", "hymenoptera_data/"])
def test_a_zip_is_the_folder_it_holds(tmp_path: Path, inside: str) -> None:
    root = write_set(tmp_path / "set")
    archive = zipped(tmp_path / "pictures.zip", root, inside)
    found = open_dataset(str(archive))
    assert (found.name, found.classes, len(found.train)) == ("pictures", ("ants", "bees"), 4)
    assert found.fingerprint == read_folder(root).fingerprint
    assert open_dataset(str(archive)).root == found.root


@pytest.mark.parametrize("entry", ["../escaped.txt", "a/../../escaped.txt", "/escaped.txt"])
def test_an_unsafe_zip_is_refused(tmp_path: Path, own_cache: Path, entry: str) -> None:
    archive = zipped(tmp_path / "bad.zip", write_set(tmp_path / "set"))
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(entry, "out")
    assert refusal(archive) == f"{archive} holds an unsafe path, {entry}; nothing was unpacked"
    assert list(tmp_path.rglob("escaped.txt")) == []
    assert list(own_cache.rglob("*.png")) == []


def test_a_zip_without_train_and_a_file_that_is_no_zip_are_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "bad.zip", write_set(tmp_path / "set"), "one/two/")
    assert refusal(archive) == f"{archive} holds no folder train/, at its top or one level below"
    (tmp_path / "text.zip").write_text("no zip")
    assert refusal(tmp_path / "text.zip") == (
        f"{tmp_path / 'text.zip'} is neither a folder nor a zip file"
    )


def test_a_damaged_zip_is_refused_by_name(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "bad.zip", write_set(tmp_path / "set"))
    content = bytearray(archive.read_bytes())
    content[60:80] = bytes(20)
    archive.write_bytes(content)
    assert str(archive) in refusal(archive)


def test_a_zip_with_a_name_too_long_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "bad.zip", write_set(tmp_path / "set"))
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(f"train/ants/{'x' * 300}.png", "out")
    message = f"{archive} cannot be unpacked: File name too long: {'x' * 300}.png"
    assert refusal(archive) == message


def test_a_zip_with_a_file_called_train_is_refused_or_ignored(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    beside = zipped(tmp_path / "beside.zip", root, "inside/")
    instead = zipped(tmp_path / "instead.zip", root)
    for archive in (beside, instead):
        with zipfile.ZipFile(archive, "a") as opened:
            opened.writestr("train", "a file")
    assert len(open_dataset(str(beside)).train) == 4
    assert refusal(instead).startswith(f"{instead} cannot be unpacked: ")


@pytest.mark.parametrize("gigabytes", [21, 10**6])
def test_a_zip_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, own_cache: Path, gigabytes: int
) -> None:
    archive = zipped(tmp_path / "bomb.zip", write_set(tmp_path / "set"))
    with zipfile.ZipFile(archive, "a") as opened:
        opened.filelist[0].file_size = gigabytes * 1024**3
        opened.writestr("more", "to have the list of files written again")
    message = refusal(archive)
    assert message.startswith(f"{archive} would take {gigabytes}.0 GB unpacked; at most 20 GB are")
    assert message.endswith("GB are free; unpack it yourself and name the folder")
    assert list(own_cache.rglob("*.png")) == []


def test_no_entry_of_a_zip_holds_more_than_it_declares(tmp_path: Path) -> None:
    """Else the limit on declared sizes would be none."""
    root = write_set(tmp_path / "set")
    (root / "train" / "ants" / "big.ppm").write_bytes(bytes(10**6))
    archive = zipped(tmp_path / "bomb.zip", root)
    with zipfile.ZipFile(archive, "a") as opened:
        (big,) = (entry for entry in opened.filelist if entry.filename.endswith("big.ppm"))
        big.file_size = 10
        opened.writestr("more", "to have the list of files written again")
    assert "cannot be unpacked: Bad CRC-32" in refusal(archive)


def test_a_zip_brings_its_test_folder_along(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    write_image(root / "test" / "ants" / "0.png")
    assert open_dataset(str(zipped(tmp_path / "set.zip", root))).test_folder is not None
