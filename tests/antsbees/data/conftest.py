"""What the tests of images share: an empty cache, a small drawn set, and no network."""

from __future__ import annotations

from pathlib import Path

import pytest

from antsbees.data import tutorial
from antsbees.data.synthetic import drawing as synthetic

SMALL = {"train": 2, "val": 1}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, a small drawn set, and no network."""
    monkeypatch.setenv("ANTSBEES_CACHE", str(tmp_path / "cache"))
    defaults = synthetic.write.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "size", 32)
    monkeypatch.setitem(defaults, "counts", SMALL)
    monkeypatch.setattr(tutorial, "ARCHIVE_URL", "http://127.0.0.1:9/photographs.zip")
    return tmp_path / "cache"
