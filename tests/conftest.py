"""What tests share: a cache of their own, tiny drawn images, and the real photographs if there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from antsbees.data.datasets import Dataset
from antsbees.data.folder import read_folder
from antsbees.data.synthetic import drawing as synthetic

PHOTOGRAPHS = Path(__file__).parents[2] / "shared" / "hymenoptera_data"
TINY = {"train": 12, "val": 8}  # images a class


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests out of the user's cache and environment."""
    kept = {
        name: os.environ.pop(name, None)
        for name in ("ANTSBEES_DATA", "ANTSBEES_RUNS", "RAY_ADDRESS")
    }
    kept["ANTSBEES_CACHE"] = os.environ.get("ANTSBEES_CACHE")
    os.environ["ANTSBEES_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    for name, value in kept.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve training and eight validation images a class, 48 pixels wide."""
    folder = tmp_path_factory.mktemp("images") / "tiny"
    synthetic.write(folder, size=48, counts=TINY)
    return folder


@pytest.fixture(scope="session")
def tiny_dataset(tiny_folder: Path) -> Dataset:
    """The tiny images, checked."""
    return read_folder(tiny_folder)


@pytest.fixture(scope="session")
def photographs() -> Path:
    """The real photographs; tests that need them skip where they are absent."""
    if not PHOTOGRAPHS.is_dir():
        pytest.skip("the photographs of ants and bees are not at hand")
    return PHOTOGRAPHS
