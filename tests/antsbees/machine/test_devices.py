"""How the arithmetic of a trial is carried out, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from antsbees.config import Precision
from antsbees.machine.allocator import ALLOCATOR_ENV, keep_freed_memory
from antsbees.machine.devices import Execution, arithmetic, configure, numerics


@pytest.fixture
def _threads_put_back() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(("device", "on_gpu"), [("cpu", False), ("cuda", True), ("cuda:1", True)])
def test_only_cuda_devices_are_gpus(device: str, on_gpu: bool) -> None:
    assert Execution(device).on_gpu is on_gpu


def test_the_default_execution_is_one_thread_in_fp32_on_the_cpu() -> None:
    plain = Execution("cpu", 1, Precision.FP32, Precision.FP32)
    assert Execution() == plain


@pytest.mark.usefixtures("_threads_put_back")
@pytest.mark.parametrize("threads", [2, 1])
def test_configuring_sets_the_threads(threads: int) -> None:
    configure(Execution(threads=threads))
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("precision", "dtype"), [(Precision.FP32, torch.float32), (Precision.BF16, torch.bfloat16)]
)
def test_arithmetic_runs_in_the_precision_asked_for(
    precision: Precision, dtype: torch.dtype
) -> None:
    a = torch.ones(4, 4)
    with arithmetic("cpu", precision):
        assert (a @ a).dtype == dtype
    assert (a @ a).dtype == torch.float32


def test_what_changes_the_last_bits_changes_the_name() -> None:
    """Threads and inference precision do; the trained part's precision does not."""
    plain = numerics(Execution())
    assert plain.startswith("cpu-")
    assert f"-t1-fp32-torch{torch.__version__.split('+')[0]}" in plain
    assert numerics(Execution(precision=Precision.BF16)) == plain
    others = {
        numerics(Execution(threads=2)),
        numerics(Execution(inference_precision=Precision.BF16)),
    }
    assert len(others - {plain}) == 2


def test_the_name_is_fit_for_a_folder() -> None:
    assert not set(numerics(Execution())) & set("/\\ \n:")


def test_keeping_freed_memory_changes_no_results() -> None:
    before = torch.arange(10_000).square().sum()
    keep_freed_memory()
    assert torch.arange(10_000).square().sum() == before


def test_the_allocator_settings_are_glibcs() -> None:
    tunables = ALLOCATOR_ENV["GLIBC_TUNABLES"].split(":")
    assert len(tunables) == 4
    assert all(tunable.startswith("glibc.malloc.") for tunable in tunables)
