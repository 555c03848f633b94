"""What the owner of file names promises."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sweeps.errors import UsageError
from sweeps.paths import RunPaths

REMEDY = "choose another folder with --runs or ANTSBEES_RUNS"


def test_the_argument_comes_before_the_environment_before_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANTSBEES_RUNS", raising=False)
    assert RunPaths.choose(None).root == tmp_path / "runs"
    monkeypatch.setenv("ANTSBEES_RUNS", "")
    assert RunPaths.choose(None).root == tmp_path / "runs"
    monkeypatch.setenv("ANTSBEES_RUNS", "/from/environment")
    assert RunPaths.choose(None).root == Path("/from/environment")
    assert RunPaths.choose(Path("mine")).root == tmp_path / "mine"


def test_the_root_is_absolute_and_knows_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert RunPaths.choose(Path("~/runs")).root == Path("/home/ada/runs")
    assert RunPaths.choose(Path("a/../b")).root.is_absolute()


def test_every_file_of_a_sweep_lies_in_its_folder() -> None:
    paths = RunPaths(Path("/runs"))
    folder = paths.sweep("ants")
    assert folder == Path("/runs/sweeps/ants")
    files = [paths.study, paths.spec, paths.lock, paths.log, paths.ray, paths.unfinished]
    names = [file("ants").relative_to(folder).as_posix() for file in files]
    assert names == [
        "study.journal",
        "sweep.json",
        "driver.lock",
        "driver.log",
        "ray",
        "unfinished",
    ]
    assert paths.leaderboard == Path("/runs/leaderboard")
    assert paths.model("ants") == Path("/runs/models/ants")


def test_a_writable_root_is_created(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path / "new" / "runs")
    for _ in range(2):
        paths.require_writable()
        assert paths.root.is_dir()


@pytest.mark.parametrize("below", [(), ("runs",)])
def test_a_file_in_place_of_the_root_is_told(tmp_path: Path, below: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("in the way")
    root = (tmp_path / "file").joinpath(*below)
    with pytest.raises(UsageError) as caught:
        RunPaths(root).require_writable()
    reason = "Not a directory" if below else "File exists"
    assert str(caught.value) == f"cannot write to {root}: {reason}; {REMEDY}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_root_without_permission_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError) as caught:
        RunPaths(tmp_path).require_writable()
    assert str(caught.value) == f"cannot write to {tmp_path}: permission denied; {REMEDY}"
