"""Keeps freed activation buffers in the process: no torch, so that a driver can use it cheaply."""

from __future__ import annotations

import ctypes
import platform

ALLOCATOR_ENV = {
    "GLIBC_TUNABLES": (
        "glibc.malloc.mmap_max=0:glibc.malloc.mmap_threshold=8589934592:"
        "glibc.malloc.trim_threshold=17179869184:glibc.malloc.hugetlb=1"
    )
}
"""Environment of a worker process: freed activation buffers are kept for the next batch, in huge
pages, instead of going back to the kernel and being cleared page by page at the next use."""


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
    if glibc := _glibc():
        glibc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL("libc.so.6") if platform.libc_ver()[0] == "glibc" else None
