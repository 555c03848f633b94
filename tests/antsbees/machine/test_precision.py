"""Which precision measures fastest is asked once, and remembered."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from antsbees.config import Precision
from antsbees.machine import precision
from antsbees.machine.devices import Execution
from antsbees.machine.precision import resolve
from antsbees.networks.backbones import Backbone
from antsbees.networks.catalog import Architecture

AUTO = Execution(precision=Precision.AUTO, inference_precision=Precision.AUTO)
FP32, BF16 = Precision.FP32, Precision.BF16


class Stage(nn.Module):
    """Takes 5 ms in one precision and none in the other, and counts its passes."""

    def __init__(self, slow: Precision) -> None:
        super().__init__()
        self.slow = slow
        self.num_passes = 0

    def forward(self, x: Tensor) -> Tensor:
        self.num_passes += 1
        now = BF16 if torch.is_autocast_enabled("cpu") else FP32
        if now is self.slow:
            time.sleep(0.005)
        return x.mean(dim=(2, 3)) if x.dim() == 4 else x


def backbone(slow: Precision) -> Backbone:
    return Backbone(
        Architecture("fake", "none", 2, 3, 0.1, 0.5), (Stage(slow), Stage(slow)), "fake"
    )


def num_passes(backbone: Backbone) -> int:
    """The passes through the first stage."""
    (first, _) = backbone.stages
    assert isinstance(first, Stage)
    return first.num_passes


@pytest.fixture(autouse=True)
def _no_long_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "ENOUGH_S", 0.05)


@pytest.mark.parametrize(("slow", "fast"), [(FP32, BF16), (BF16, FP32)])
def test_the_faster_one_is_taken(tmp_path: Path, slow: Precision, fast: Precision) -> None:
    found = resolve(AUTO, backbone(slow), 0, 32, tmp_path)
    assert (found.precision, found.inference_precision) == (fast, fast)
    assert (found.device, found.threads) == (AUTO.device, AUTO.threads)


def test_a_second_call_reads_the_answer_and_measures_nothing(tmp_path: Path) -> None:
    first = resolve(AUTO, backbone(slow=FP32), 1, 32, tmp_path)
    other = backbone(slow=BF16)
    assert resolve(AUTO, other, 1, 32, tmp_path) == first
    assert [stage.num_passes for stage in other.stages] == [0, 0]


def test_what_is_remembered_is_obeyed(tmp_path: Path) -> None:
    resolve(AUTO, backbone(slow=FP32), 1, 32, tmp_path)
    files = sorted(tmp_path.glob("*.json"))
    assert len(files) == 2  # inference, and training from k = 1
    for file in files:
        remembered = json.loads(file.read_text())
        assert remembered["fastest"] == "bf16"
        assert "fake at 32, " in remembered["measured"]
        file.write_text(json.dumps(remembered | {"fastest": "fp32"}))
    found = resolve(AUTO, backbone(slow=FP32), 1, 32, tmp_path)
    assert (found.precision, found.inference_precision) == (FP32, FP32)


@pytest.mark.parametrize("text", ["", "{", "{}", '{"fastest": "fp8"}'])
def test_a_damaged_memory_is_measured_again(tmp_path: Path, text: str) -> None:
    resolve(AUTO, backbone(slow=FP32), 1, 32, tmp_path)
    for file in tmp_path.glob("*.json"):
        file.write_text(text)
    assert resolve(AUTO, backbone(slow=FP32), 1, 32, tmp_path).precision is BF16


def test_other_questions_are_measured_on_their_own(tmp_path: Path) -> None:
    resolve(AUTO, backbone(slow=FP32), 0, 32, tmp_path)
    resolve(AUTO, backbone(slow=FP32), 1, 32, tmp_path)  # another k
    resolve(AUTO, backbone(slow=FP32), 0, 64, tmp_path)  # another image size, twice
    assert len(list(tmp_path.glob("*.json"))) == 2 + 1 + 2


def test_a_head_alone_trains_in_fp32(tmp_path: Path) -> None:
    found = resolve(AUTO, backbone(slow=FP32), 2, 32, tmp_path)
    assert (found.precision, found.inference_precision) == (FP32, BF16)


@pytest.mark.parametrize("training", [FP32, BF16])
@pytest.mark.parametrize("inference", [FP32, BF16])
@pytest.mark.parametrize("k", [0, 2])
def test_what_is_demanded_stays(
    tmp_path: Path, training: Precision, inference: Precision, k: int
) -> None:
    demanded = Execution(precision=training, inference_precision=inference)
    idle = backbone(slow=FP32)
    assert resolve(demanded, idle, k, 32, tmp_path) == demanded
    assert num_passes(idle) == 0
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_it_is_measured_every_time() -> None:
    measured = backbone(slow=FP32)
    resolve(AUTO, measured, 2, 32, None)
    passes = num_passes(measured)
    resolve(AUTO, measured, 2, 32, None)
    assert num_passes(measured) > passes > 0


def test_measuring_leaves_a_real_backbone_as_it_was(resnet18: Backbone, tmp_path: Path) -> None:
    before = [t.clone() for stage in resnet18.stages for t in stage.state_dict().values()]
    found = resolve(AUTO, resnet18, 4, 32, tmp_path)
    after = [t for stage in resnet18.stages for t in stage.state_dict().values()]
    assert len(before) == 120
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert {found.precision, found.inference_precision} <= {FP32, BF16}


def test_a_folder_that_cannot_be_used_costs_only_the_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    for _ in range(2):
        found = resolve(AUTO, backbone(slow=FP32), 1, 32, tmp_path / "file")
        assert found.precision is BF16
    assert len([message for message in caplog.messages if "cannot be used" in message]) == 1
