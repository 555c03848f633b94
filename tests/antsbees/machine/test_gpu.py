"""On a real GPU: the default device trains, agrees with the CPU, and repeats itself."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from antsbees.config import Precision, TrialConfig
from antsbees.hyperparameters import BatchNorm
from antsbees.machine.devices import Execution, configure, divide_memory, numerics
from antsbees.machine.memory import PeakMemory
from tests.antsbees.laboratory import Laboratory

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU here"),
]

ON_GPU = Execution("cuda")


@pytest.mark.parametrize("k", [0, 2, 5], ids=["whole network", "in between", "head"])
@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16])
def test_the_default_device_trains_and_repeats_itself(
    resnet18_lab: Laboratory, k: int, precision: Precision
) -> None:
    execution = replace(ON_GPU, precision=precision, inference_precision=precision)
    configure(execution)
    lab = replace(resnet18_lab, execution=execution)
    config = TrialConfig(k, epochs=2, batch_size=8)
    assert lab.curve(config) == lab.curve(config)


def test_activations_agree_with_those_of_the_cpu(lab: Laboratory) -> None:
    """FP32 is float32 here too: TF32 would differ by more."""
    configure(ON_GPU)
    last = lab.task.num_stages
    there = replace(lab, execution=ON_GPU).activations().val(last)
    assert there.device.type == "cpu"  # nothing is held without a cache
    assert torch.allclose(there.cpu(), lab.activations().val(last), rtol=1e-3, atol=1e-4)


def test_what_is_cached_is_at_hand_on_the_gpu(lab: Laboratory) -> None:
    configure(ON_GPU)
    source = replace(lab, execution=ON_GPU).activations(lab.cache)
    assert source.val(2).device.type == "cuda"
    assert source.val(2).data_ptr() == source.val(2).data_ptr()


def test_the_name_tells_the_gpu_and_its_libraries() -> None:
    name = numerics(ON_GPU)
    assert torch.cuda.get_device_name(0).replace(" ", "-") in name
    assert "cudnn" in name
    assert not set(name) & set("/\\ \n:")


def test_the_peak_is_of_the_gpus_memory() -> None:
    configure(ON_GPU)
    watched = PeakMemory(ON_GPU)
    before = watched.num_bytes
    torch.zeros(100 * 2**20, dtype=torch.uint8, device="cuda")
    assert watched.num_bytes - before >= 100 * 2**20
    assert PeakMemory(ON_GPU).num_bytes < 100 * 2**20


@pytest.mark.parametrize("k", range(10))
def test_every_depth_learns_as_on_the_cpu(lab: Laboratory, k: int) -> None:
    _compare_with_the_cpu(lab, k)


@pytest.mark.parametrize("k", range(6))
def test_every_depth_of_a_resnet_learns_as_on_the_cpu(resnet18_lab: Laboratory, k: int) -> None:
    _compare_with_the_cpu(resnet18_lab, k)


def _compare_with_the_cpu(lab: Laboratory, k: int) -> None:
    """Compare losses after two epochs: within two per cent, and a hundredth."""
    config = TrialConfig(k, epochs=2, batch_size=8, lr=0.001)
    expected = lab.curve(config)
    configure(ON_GPU)
    found = replace(lab, execution=ON_GPU).curve(config)
    for name in ("train_loss", "val_loss"):
        assert [e[name] for e in found] == pytest.approx(
            [e[name] for e in expected], rel=0.02, abs=0.01
        )


@pytest.mark.parametrize("k", [0, 2, 5])
def test_nothing_waits_for_the_gpu_within_a_batch(resnet18_lab: Laboratory, k: int) -> None:
    configure(ON_GPU)
    training = replace(resnet18_lab, execution=ON_GPU).training(TrialConfig(k, batch_size=8))
    training.run_epoch()
    rows = training._lesson.inputs(k, 0)[:8].to("cuda")
    labels = training._labels[:8]
    torch.cuda.set_sync_debug_mode("error")
    try:
        training._step(training._members[0], rows, labels)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("batchnorm", list(BatchNorm))
def test_a_soup_is_made_on_the_gpu(resnet18_lab: Laboratory, batchnorm: BatchNorm) -> None:
    configure(ON_GPU)
    config = TrialConfig(4, batch_size=8, soup_size=2, batchnorm=batchnorm)
    training = replace(resnet18_lab, execution=ON_GPU).training(config)
    training.run_epoch()
    assert training.evaluation is not None
    assert {tensor.device.type for tensor in training.trained.state_dict().values()} == {"cuda"}


def test_a_batch_that_does_not_fit_is_computed_in_pieces(resnet18_lab: Laboratory) -> None:
    configure(ON_GPU)
    training = replace(resnet18_lab, execution=ON_GPU).training(TrialConfig(0, batch_size=8))
    rows = torch.randint(0, 255, (64, 256, 256, 3), dtype=torch.uint8, device="cuda")
    labels = torch.zeros(64, dtype=torch.long, device="cuda")
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    divide_memory(ON_GPU, (torch.cuda.memory_reserved() + 600 * 2**20) / total)
    try:
        training._step(training._members[0], rows, labels)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert training.micro_batch is not None
    assert training.micro_batch < 64


def test_two_processes_share_a_gpu() -> None:
    """Each keeps to its half of the memory, and computes the same."""
    code = (
        "import torch; from antsbees.machine.devices import *; e = Execution('cuda');"
        "configure(e); divide_memory(e, 0.5); torch.manual_seed(0);"
        "a = torch.randn(512, 512, device='cuda'); print(float((a @ a).sum()))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(2)
    ]
    answers = {process.communicate(timeout=300)[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(answers) == 1
