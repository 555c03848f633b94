"""Freed buffers stay in the process until they are released on purpose."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from antsbees.allocator import ALLOCATOR_ENV

MEBIBYTE = 1024**2
PROGRAM = """
import re
from antsbees.allocator import release_freed_memory
def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
buffers = [bytearray(1024**2) for _ in range(200)]
held = resident()
del buffers
kept = resident()
release_freed_memory()
print(held, kept, resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_memory_is_kept_and_given_back_when_asked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | ALLOCATOR_ENV,
        capture_output=True,
        text=True,
        check=True,
    )
    held, kept, released = map(int, done.stdout.split())
    assert held - kept < 10 * MEBIBYTE
    assert kept - released > 190 * MEBIBYTE
