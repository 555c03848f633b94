"""Freed buffers stay in the process until they are released on purpose."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import ray

from antsbees.machine.allocator import ALLOCATOR_ENV

MEBIBYTE = 1024**2
PROGRAM = """
import re
from antsbees.machine.allocator import release_freed_memory
def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
buffers = [bytearray(1024**2) for _ in range(200)]
held = resident()
del buffers
kept = resident()
release_freed_memory()
print(held, kept, resident())
"""


def jemalloc() -> Path:
    """The one that Ray brings along for its processes."""
    return Path(ray.__file__).parent / "core" / "libjemalloc.so"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
@pytest.mark.parametrize("allocator", ["glibc", "jemalloc"])
def test_freed_memory_is_kept_and_given_back_when_asked(allocator: str) -> None:
    preloaded = {}
    if allocator == "jemalloc":
        if not jemalloc().exists():
            pytest.skip("this Ray brings no jemalloc along")
        preloaded = {"LD_PRELOAD": str(jemalloc())}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | ALLOCATOR_ENV | preloaded,
        capture_output=True,
        text=True,
        check=True,
    )
    held, kept, released = map(int, done.stdout.split())
    assert held - kept < 10 * MEBIBYTE
    assert kept - released > 190 * MEBIBYTE


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_process_that_runs_already_keeps_freed_memory_when_asked() -> None:
    """Without being asked it gives it back, so that this test would notice."""
    asked = "from antsbees.machine.allocator import keep_freed_memory\nkeep_freed_memory()\n"
    given_back = []
    for program in (PROGRAM, asked + PROGRAM):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        held, kept, _ = map(int, done.stdout.split())
        given_back.append(held - kept)
    assert given_back[0] > 190 * MEBIBYTE
    assert given_back[1] < 10 * MEBIBYTE
