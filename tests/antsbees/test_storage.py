"""Files and folders appear whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from antsbees.storage import cache_folder, publish_file, publish_folder

ODD = ["plain", "with space", "it's", 'a "quote"', "Ämeise 蜂", "a\nb", "x" * 200]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_cache_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTSBEES_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTSBEES_CACHE", "relative")
    assert cache_folder() == tmp_path / "relative"


@pytest.mark.parametrize("value", [None, ""])
def test_the_cache_is_else_in_the_users_cache_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("ANTSBEES_CACHE")
    if value is not None:
        monkeypatch.setenv("ANTSBEES_CACHE", value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().name == "antsbees"
    assert cache_folder().is_absolute()


@pytest.mark.parametrize("name", ODD)
def test_a_file_is_published_under_its_name_alone(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / name
    with publish_file(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
        assert partial.parent == path.parent
    assert path.read_text() == "whole"
    assert names_in(path.parent) == [name]


def test_a_file_already_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with publish_file(tmp_path / "file") as partial:
        partial.write_text("new")
    assert (tmp_path / "file").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_file_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "file").write_text("old")

    def fail_half_way() -> None:
        with publish_file(tmp_path / "file") as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(error):
        fail_half_way()
    assert (tmp_path / "file").read_text() == "old"
    assert names_in(tmp_path) == ["file"]


@pytest.mark.parametrize("name", ODD)
def test_a_folder_is_published_under_its_name_alone(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / name
    with publish_folder(path) as fresh:
        (fresh / "file").write_text("whole")
        assert not path.exists()
    assert names_in(path) == ["file"]
    assert names_in(path.parent) == [name]
    assert path.stat().st_mode & 0o777 == 0o755


def test_a_folder_already_there_is_replaced_whole(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with publish_folder(tmp_path / "model") as fresh:
            (fresh / name).write_text(name)
    assert names_in(tmp_path / "model") == ["two"]
    assert names_in(tmp_path) == ["model"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_folder_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    with publish_folder(tmp_path / "model") as fresh:
        (fresh / "old").touch()

    def fail_half_way() -> None:
        with publish_folder(tmp_path / "model") as fresh:
            (fresh / "half").touch()
            raise error

    with pytest.raises(error):
        fail_half_way()
    assert names_in(tmp_path / "model") == ["old"]
    assert names_in(tmp_path) == ["model"]
