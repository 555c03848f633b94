"""The tutorial's photographs are downloaded once, and only the expected ones are taken."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from antsbees.data import tutorial
from antsbees.data.sources import open_dataset
from tests.antsbees.data.image_sets import write_set, zipped


def test_auto_takes_a_download_made_before(own_cache: Path) -> None:
    write_set(own_cache / "hymenoptera_data")
    found = open_dataset("auto")
    assert (found.name, found.notice) == ("hymenoptera_data", None)


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
    monkeypatch.setattr(tutorial, "ARCHIVE_URL", babble)
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
    monkeypatch.setattr(resources, "files", lambda package: tmp_path / "listing")
    monkeypatch.setattr(tutorial, "ARCHIVE_URL", archive.as_uri())
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
    monkeypatch.setattr(tutorial, "ARCHIVE_URL", archive.as_uri())
    found = open_dataset("auto")
    reason = "not the expected one: train/ants/0013035.jpg differs"
    assert (reason if content == "other images" else "not a zip file") in str(found.notice)
    assert not (own_cache / "hymenoptera_data").exists()
    assert not (own_cache / "hymenoptera_data.zip").exists()


def test_the_real_photographs_are_the_expected_ones(photographs: Path) -> None:
    tutorial.verify_hymenoptera(photographs)
