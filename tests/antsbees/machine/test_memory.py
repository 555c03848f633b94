"""A trial's memory is its own, in a process that has had others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from antsbees.machine import memory
from antsbees.machine.allocator import release_freed_memory
from antsbees.machine.devices import Execution
from antsbees.machine.memory import PeakMemory

MEBIBYTE = 2**20


def allocate_and_free(num_bytes: int) -> None:
    bytearray(num_bytes)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux resets its count")
def test_a_small_trial_after_a_large_one_is_small() -> None:
    large = PeakMemory(Execution())
    assert large.is_of_trial
    before = large.num_bytes
    allocate_and_free(200 * MEBIBYTE)
    assert large.num_bytes - before > 190 * MEBIBYTE
    release_freed_memory()  # as every trial does; this process may have been told to keep it
    assert PeakMemory(Execution()).num_bytes - before < 50 * MEBIBYTE


def test_where_the_kernel_does_not_count_anew_it_is_the_lifetimes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CLEAR_REFS", tmp_path / "absent" / "clear_refs")
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    watched = PeakMemory(Execution())
    assert not watched.is_of_trial
    before = watched.num_bytes
    assert before > 10 * MEBIBYTE
    allocate_and_free(200 * MEBIBYTE)
    assert PeakMemory(Execution()).num_bytes >= before


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_not_asked() -> None:
    """A trial that fails for want of a GPU still gets its row, with a figure."""
    assert PeakMemory(Execution("cuda")).num_bytes > 10 * MEBIBYTE
