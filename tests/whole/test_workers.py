"""What the workers of a Ray that the driver starts itself are made of."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

import pytest
import ray

from antsbees.machine.allocator import ALLOCATOR_ENV
from sweeps.running.cluster import connected

JEMALLOC = Path(ray.__file__).parent / "core" / "libjemalloc.so"
MAPS = Path("/proc/self/maps")


@pytest.mark.skipif(
    not (JEMALLOC.exists() and MAPS.exists()), reason="this Ray brings no jemalloc along"
)
def test_workers_keep_freed_memory_with_the_jemalloc_that_ray_brings_along(tmp_path: Path) -> None:
    with patch.dict(os.environ), connected(None, tmp_path / "driver.log"):
        look = ray.remote(lambda: (MAPS.read_text(), os.environ.get("MALLOC_CONF")))
        maps, configuration = ray.get(look.remote())
    assert str(JEMALLOC) in maps
    assert configuration == ALLOCATOR_ENV["MALLOC_CONF"]
