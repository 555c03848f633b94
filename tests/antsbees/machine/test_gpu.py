"""On a real GPU: the default device trains, agrees with the CPU, and repeats itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from antsbees.config import Precision, TrialConfig
from antsbees.machine.devices import Execution, configure, numerics
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
