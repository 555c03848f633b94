"""Keeps freed activation buffers in the process: no torch, so that a driver can use it cheaply."""

from __future__ import annotations

import ctypes
import platform

ALLOCATOR_ENV = {
    "MALLOC_CONF": "dirty_decay_ms:-1,muzzy_decay_ms:-1",
    "GLIBC_TUNABLES": (
        "glibc.malloc.mmap_max=0:glibc.malloc.mmap_threshold=8589934592:"
        "glibc.malloc.trim_threshold=17179869184:glibc.malloc.hugetlb=1"
    ),
}
"""Environment of a worker process: freed activation buffers are kept for the next batch instead of
going back to the kernel and being cleared page by page at the next use. The first is for jemalloc,
where it is preloaded: its heap falls less to pieces than that of glibc, which the second is for."""

_ALL_ARENAS = 4096  # MALLCTL_ARENAS_ALL of jemalloc.h


def keep_freed_memory() -> None:
    """Ask glibc to keep freed buffers, as ``ALLOCATOR_ENV`` does, for a process already running.

    Does nothing where the C library is another one.
    """
    if glibc := _glibc():
        m_trim_threshold, m_mmap_max = -1, -4  # malloc.h
        glibc.mallopt(m_mmap_max, 0)
        glibc.mallopt(m_trim_threshold, 2**31 - 1)


def release_freed_memory() -> None:
    """Give the kernel back what is free: between two trials, whose buffers differ in size."""
    jemalloc = ctypes.CDLL(None)
    if hasattr(jemalloc, "mallctl"):
        jemalloc.mallctl(f"arena.{_ALL_ARENAS}.purge".encode(), None, None, None, 0)
    elif glibc := _glibc():
        glibc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL("libc.so.6") if platform.libc_ver()[0] == "glibc" else None
