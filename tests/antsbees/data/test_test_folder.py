"""A folder of images for a last test is found, and opened by nothing but a request."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from antsbees.data.folder import read_folder, read_test
from antsbees.data.sources import open_dataset
from antsbees.errors import DataError
from tests.antsbees.data.image_sets import write_image, write_set


class Watch:
    """Notes what this process opens or lists; Python cannot take an audit hook away again."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.on = False
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event in {"open", "os.listdir", "os.scandir"}:
            self.seen.append(os.fsdecode(arguments[0]) if arguments[0] else "")


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


def write_test(root: Path) -> Path:
    for name in ("ants", "bees"):
        for i in range(3):
            write_image(root / "test" / name / f"{i}.png", 100 + i)
    return root


def test_opening_a_dataset_looks_at_nothing_in_its_test_folder(
    tmp_path: Path, watch: Watch
) -> None:
    root = write_test(write_set(tmp_path / "set"))
    without = read_folder(write_set(tmp_path / "without"))
    watch.on = True
    found = open_dataset(str(root))
    watch.on = False
    assert [path for path in watch.seen if path.startswith(str(root / "test"))] == []
    assert len([path for path in watch.seen if path.startswith(str(root / "train"))]) >= 4
    assert found.test_folder == root / "test"
    assert without.test_folder is None
    assert (found.fingerprint, found.num_skipped) == (without.fingerprint, 0)


def test_the_test_images_are_read_on_request(tmp_path: Path) -> None:
    dataset = read_folder(write_test(write_set(tmp_path / "set", ("ants", "bees", "wasps"))))
    test = read_test(dataset)
    assert test.labels == (0, 0, 0, 1, 1, 1)
    assert all(path.is_relative_to(dataset.root / "test") for path in test.paths)


def test_faults_of_the_test_folder_are_named(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set")
    with pytest.raises(DataError, match=r"there is no folder test/ in .*set$"):
        read_test(read_folder(root))
    (root / "test").mkdir()
    with pytest.raises(DataError, match=r"\n  - test/ has no images$"):
        read_test(read_folder(root))
    write_image(root / "test" / "flies" / "0.png")
    with pytest.raises(DataError, match=r"class flies of test/ is not one of the classes"):
        read_test(read_folder(root))
    (root / "test" / "flies").rename(root / "test" / "ants")
    (root / "test" / "ants" / "1.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"test/ants/1.png cannot be decoded"):
        read_test(read_folder(root))
