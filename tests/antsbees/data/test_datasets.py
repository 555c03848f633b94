"""Where images come from, and every fault a folder of them can have."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from antsbees.data import datasets
from antsbees.data.datasets import open_dataset, read_folder
from antsbees.data.synthetic import drawing as synthetic
from antsbees.errors import DataError

SMALL = {"train": 2, "val": 1}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, a small drawn set, and no network."""
    monkeypatch.setenv("ANTSBEES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(synthetic.write.__kwdefaults__, "size", 32)
    monkeypatch.setitem(synthetic.write.__kwdefaults__, "counts", SMALL)
    monkeypatch.setattr(datasets, "ARCHIVE_URL", "http://127.0.0.1:9/photographs.zip")
    return tmp_path / "cache"


def write_image(path: Path, shade: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (shade % 256, shade // 256, 0)).save(path)


def write_set(root: Path, classes: tuple[str, ...] = ("ants", "bees"), count: int = 2) -> Path:
    for split in ("train", "val"):
        for number, name in enumerate(classes):
            for i in range(count):
                write_image(root / split / name / f"{i}.png", 10 * number + i)
    return root


def zipped(archive: Path, root: Path, inside: str = "") -> Path:
    with zipfile.ZipFile(archive, "w") as opened:
        for file in sorted(root.rglob("*.*")):
            opened.write(file, inside + file.relative_to(root).as_posix())
    return archive


def refusal(source: Path | str) -> str:
    with pytest.raises(DataError) as refused:
        open_dataset(str(source))
    return str(refused.value)


def test_a_folder_is_listed_by_class_in_order(tmp_path: Path) -> None:
    found = open_dataset(str(write_set(tmp_path / "set", ("wasps", "ants", "bees"), count=3)))
    assert (found.name, found.classes) == ("set", ("ants", "bees", "wasps"))
    assert (len(found.train), len(found.val)) == (9, 9)
    assert found.train.labels == (0, 0, 0, 1, 1, 1, 2, 2, 2)
    assert list(found.train.paths) == sorted((tmp_path / "set" / "train").rglob("*.png"))
    assert found.split("val") == found.val
    assert (found.num_skipped, found.notice) == (0, None)


@pytest.mark.parametrize("name", ["a space", "it's", 'a "quote"', "Ämeisen 蜂", "a\nb", "%d"])
def test_odd_paths_work(tmp_path: Path, name: str) -> None:
    root = write_set(tmp_path / name, (name, "bees"))
    write_image(root / "train" / name / f"{name}.png")
    found = open_dataset(str(root))
    assert set(found.classes) == {name, "bees"}
    assert len(found.train) == 5
    assert open_dataset(str(zipped(tmp_path / f"{name}.zip", root))).classes == found.classes


def test_a_file_name_that_is_not_utf8_works(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    shutil.copy(root / "train/ants/0.png", os.fsdecode(os.fsencode(root) + b"/train/ants/\xff.png"))
    assert len(read_folder(root).train) == 5


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


def test_a_source_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path / "nowhere")
    assert message.startswith(f"no images at {tmp_path / 'nowhere'}: give a folder with train/")
    assert "'synthetic' or 'auto'" in message


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


def test_auto_takes_a_download_made_before(own_cache: Path) -> None:
    write_set(own_cache / "hymenoptera_data")
    found = open_dataset("auto")
    assert (found.name, found.notice) == ("hymenoptera_data", None)


def test_auto_draws_when_nothing_can_be_downloaded_and_says_why_and_how() -> None:
    found = open_dataset("auto")
    assert found.name == "synthetic"
    assert found.notice.startswith("Drawn images, not photographs. ")
    assert "could not be downloaded ([Errno 111] Connection refused)" in found.notice
    assert "DATA=<folder> with make, --data <folder>, or ANTSBEES_DATA=<folder>" in found.notice
    assert open_dataset("synthetic").notice is None


@pytest.fixture
def babble() -> Iterator[str]:
    """The URL of a server that does not speak HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(b"what do you want?\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/photographs.zip"


def test_auto_draws_when_the_server_talks_nonsense(
    babble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "ARCHIVE_URL", babble)
    assert open_dataset("auto").name == "synthetic"


def list_checksums(root: Path) -> str:
    files = sorted(root.rglob("*.png"))
    lines = [
        f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(root)}\n" for f in files
    ]
    return "".join(lines)


def test_auto_publishes_a_download_that_is_the_expected_one(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_set(tmp_path / "set")
    archive = zipped(tmp_path / "good.zip", root, "hymenoptera_data/")
    (tmp_path / "listing" / "hymenoptera.sha256").parent.mkdir()
    (tmp_path / "listing" / "hymenoptera.sha256").write_text(list_checksums(root))
    monkeypatch.setattr(datasets.resources, "files", lambda package: tmp_path / "listing")
    monkeypatch.setattr(datasets, "ARCHIVE_URL", archive.as_uri())
    seen: list[tuple[int, int]] = []
    found = open_dataset("auto", progress=lambda done, total: seen.append((done, total)))
    assert (found.name, found.notice, len(found.val)) == ("hymenoptera_data", None, 4)
    assert seen[-1] == (archive.stat().st_size, archive.stat().st_size)
    assert sorted(p.name for p in own_cache.iterdir()) == ["checked", "hymenoptera_data"]
    archive.unlink()
    assert open_dataset("auto") == found


@pytest.mark.parametrize("content", ["other images", "no zip"])
def test_auto_refuses_a_download_that_is_not_the_expected_one(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    archive = zipped(tmp_path / "other.zip", write_set(tmp_path / "set"))
    if content == "no zip":
        archive.write_text("<html>please log in</html>")
    monkeypatch.setattr(datasets, "ARCHIVE_URL", archive.as_uri())
    found = open_dataset("auto")
    reason = "not the expected one: train/ants/0013035.jpg differs"
    assert (reason if content == "other images" else "not a zip file") in found.notice
    assert not (own_cache / "hymenoptera_data").exists()
    assert not (own_cache / "hymenoptera_data.zip").exists()


def test_the_real_photographs_are_the_expected_ones(photographs: Path) -> None:
    datasets.verify_hymenoptera(photographs)
