"""How the arithmetic of a trial is carried out, on the CPU."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import torch

from antsbees.config import Precision
from antsbees.errors import ConfigError, DeviceError
from antsbees.frozen.activations import tensors_at_hand
from antsbees.machine.devices import Execution, arithmetic, configure, numerics


@pytest.fixture
def _threads_put_back() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def _cuda_settings_put_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    names = ("benchmark", "deterministic", "allow_tf32")
    kept = {name: getattr(cudnn, name) for name in names}
    kept_tf32 = matmul.allow_tf32
    yield
    for name, value in kept.items():
        setattr(cudnn, name, value)
    matmul.allow_tf32 = kept_tf32


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


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.usefixtures("_cuda_settings_put_back")
@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:1"])
def test_the_default_gpu_fails_for_want_of_a_driver_and_nothing_else(device: str) -> None:
    """torch checks the argument of set_device before it looks for a driver."""
    with pytest.raises(DeviceError, match=f"device {device} cannot be used: ") as raised:
        configure(Execution(device))
    cause = raised.value.__cause__
    assert cause is not None
    assert not isinstance(cause, ValueError)
    assert str(cause).splitlines()[0] in str(raised.value)


@pytest.mark.usefixtures("_cuda_settings_put_back")
def test_a_gpu_repeats_itself_and_its_fp32_is_float32() -> None:
    """These are plain settings, that can be read where there is no GPU."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = True
    os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
    with suppress(DeviceError):
        configure(Execution("cuda"))
    assert not torch.backends.cudnn.benchmark
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


@pytest.mark.parametrize(
    ("device", "index"), [("cpu", None), ("cuda", 0), ("cuda:0", 0), ("cuda:12", 12)]
)
def test_a_gpu_has_an_index(device: str, index: int | None) -> None:
    found = Execution(device).where
    assert (found.index if found.has_own_memory else None) == index


def wait(execution: Execution) -> None:
    execution.where.wait()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize("ask", [numerics, tensors_at_hand, wait])
def test_what_else_asks_the_gpu_fails_for_want_of_a_driver_too(
    ask: Callable[[Execution], object],
) -> None:
    with pytest.raises((RuntimeError, AssertionError), match=r"NVIDIA driver|not compiled"):
        ask(Execution("cuda"))


@pytest.mark.parametrize("device", ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "mps", "cpu:0"])
def test_other_devices_are_refused(device: str) -> None:
    message = f"device must be cpu, cuda or cuda:<number>, got {device!r}"
    with pytest.raises(ConfigError, match=re.escape(message)):
        Execution(device)


def test_no_threads_are_refused() -> None:
    with pytest.raises(ConfigError, match="threads must be at least 1, got 0"):
        Execution(threads=0)


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
