"""What a user names is found: a path, the drawn set, or what is best at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from antsbees.data.folder import read_folder
from antsbees.data.sources import open_dataset
from tests.antsbees.data.image_sets import refusal, write_set, zipped


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
    notice = str(found.notice)
    assert notice.startswith("Drawn images, not photographs. ")
    assert "could not be downloaded ([Errno 111] Connection refused)" in notice
    assert "DATA=<folder> with make, --data <folder>, or ANTSBEES_DATA=<folder>" in notice
    assert open_dataset("synthetic").notice is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [("x" * 300, "cannot be read: File name too long"), ("a\0b", "is no path: embedded null byte")],
)
def test_a_source_that_can_be_no_path_is_refused(name: str, reason: str) -> None:
    assert reason in refusal(name)


@pytest.mark.parametrize("zip_it", [False, True])
def test_a_users_folder_called_synthetic_is_a_folder(tmp_path: Path, zip_it: bool) -> None:
    """The name of the drawn set is given to nothing else: rows are known as drawn by it."""
    root = write_set(tmp_path / "synthetic")
    source = zipped(tmp_path / "synthetic.zip", root) if zip_it else root
    found = open_dataset(str(source))
    assert found.name == "synthetic-folder"
    assert found.fingerprint == read_folder(root).fingerprint
    assert found.fingerprint != open_dataset("synthetic").fingerprint


def test_the_drawn_set_says_that_a_folder_of_its_name_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path / "synthetic")
    monkeypatch.chdir(tmp_path)
    drawn = open_dataset("synthetic")
    assert (drawn.name, len(drawn.warnings)) == ("synthetic", 1)
    assert drawn.warnings[0].endswith("to use the folder say ./synthetic")
    assert open_dataset("./synthetic").name == "synthetic-folder"


@pytest.fixture
def unusable_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Path:
    """A cache with a file in its place."""
    (tmp_path / "taken").touch()
    monkeypatch.setenv("ANTSBEES_CACHE", str(tmp_path / "taken"))
    return tmp_path / "taken"


@pytest.mark.parametrize("below", ["", "below"])
def test_without_a_usable_cache_every_source_still_works_and_one_warning_says_so(
    tmp_path: Path,
    unusable_cache: Path,
    below: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("ANTSBEES_CACHE", str(unusable_cache / below))
    root = write_set(tmp_path / "set")
    assert open_dataset(str(root)).name == "set"
    assert caplog.messages == []
    assert open_dataset(str(zipped(tmp_path / "set.zip", root))).name == "set"
    assert open_dataset("synthetic").name == "synthetic"
    assert open_dataset("auto").name == "synthetic"
    (message,) = caplog.messages
    assert message.startswith(f"the cache folder {unusable_cache / below} cannot be written (")
    assert "choose another folder with ANTSBEES_CACHE" in message


def test_what_a_cache_that_cannot_be_written_holds_is_used(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    drawn = open_dataset("synthetic")
    (own_cache / "checked").rename(own_cache / "moved")
    (own_cache / "checked").touch()
    (own_cache / "synthetic-1.lock").unlink()
    (own_cache / "synthetic-1.lock").mkdir()
    assert open_dataset("synthetic") == drawn
    assert caplog.messages == []
