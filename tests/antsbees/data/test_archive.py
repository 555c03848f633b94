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
