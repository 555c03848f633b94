"""``antsbees cache`` counts and clears photographs that were sent to this machine."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from antsbees.storage import publish_folder
from sweeps.cli import cache
from sweeps.running import arrived

USE = "import sys; from pathlib import Path; from sweeps.running import arrived; "
USE += "arrived.use(Path(sys.argv[1])); print('ready', flush=True); input()"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache into which a worker that has ended unpacked photographs."""
    monkeypatch.setenv("ANTSBEES_CACHE", str(tmp_path))
    images = tmp_path / arrived.FOLDER
    (images / "0123456789abcdef" / "train").mkdir(parents=True)
    (images / "0123456789abcdef" / "train" / "one.jpg").write_bytes(b"1" * 2**20)
    for name in ("0123456789abcdef.lock", ".in-use"):
        (images / name).touch()
    (images / ".new-abandoned").mkdir()
    return tmp_path


def test_photographs_that_were_sent_are_counted_and_cleared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.show()
    assert "images: 1 data set sent by other machines, 0.00 GB" in capsys.readouterr().out
    cache.clear()
    assert "images: deleted 1 data set sent by other machines" in capsys.readouterr().out
    assert [path.name for path in (folder / arrived.FOLDER).iterdir()] == [".in-use"]
    cache.show()
    assert "data set" not in capsys.readouterr().out


def test_those_that_a_worker_uses_stay_until_it_ends(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", USE, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"
    cache.clear()
    assert "images: a sweep uses 1 data set" in capsys.readouterr().out
    assert (folder / arrived.FOLDER / "0123456789abcdef" / "train" / "one.jpg").exists()
    worker.communicate(b"\n")
    cache.clear()
    assert "images: deleted 1 data set" in capsys.readouterr().out


def test_parts_that_an_unpacking_left_are_counted_and_cleared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = folder / arrived.FOLDER
    (images / "0123456789abcdef").rename(images / ".new-abandoned" / "part")
    cache.show()
    assert "images: parts of data sets sent by other machines, 0.00 GB" in capsys.readouterr().out
    cache.clear()
    assert "images: deleted parts of data sets" in capsys.readouterr().out
    assert not (images / ".new-abandoned").exists()


def test_those_of_a_version_without_the_lock_are_cleared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / arrived.FOLDER / ".in-use").unlink()
    cache.clear()
    assert "images: deleted 1 data set" in capsys.readouterr().out


def test_what_a_worker_renames_meanwhile_is_passed_over(folder: Path) -> None:
    """A worker unpacks, again and again, while they are counted."""
    images, ended = folder / arrived.FOLDER, threading.Event()

    def unpack() -> None:
        while not ended.is_set():
            with publish_folder(images / "fedcba9876543210") as fresh:
                for number in range(20):
                    (fresh / str(number)).mkdir()
                    (fresh / str(number) / "one.jpg").write_bytes(b"1")

    worker = threading.Thread(target=unpack)
    worker.start()
    try:
        found = [arrived.usage(folder) for _ in range(200)]
    finally:
        ended.set()
        worker.join()
    assert all(there.num_bytes >= 2**20 for there in found)


def test_a_cache_without_them_says_nothing_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANTSBEES_CACHE", str(tmp_path / "none"))
    cache.show()
    cache.clear()
    assert "images" not in capsys.readouterr().out
