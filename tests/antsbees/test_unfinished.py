"""A training that is interrupted goes on from its file, and comes out the same to the bit."""

from __future__ import annotations

import logging
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from antsbees import unfinished
from antsbees.config import TaskConfig, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.frozen.cache import TensorCache
from antsbees.hyperparameters import BatchNorm, OptimizerKind
from antsbees.networks.backbones import load_backbone
from antsbees.training import Training
from antsbees.unfinished import Unfinished
from tests.antsbees.laboratory import Laboratory, judged, timeless

SGD = TrialConfig(8, lr=0.01, batch_size=8, epochs=4, momentum=0.9, stage_lr_decay=0.5)
ADAMW = TrialConfig(
    8, lr=0.001, batch_size=8, epochs=4, optimizer=OptimizerKind.ADAMW,
    batchnorm=BatchNorm.TRAIN,
)  # fmt: skip


class Clock:
    """Tells the time it is set to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def run_on(training: Training) -> list[dict[str, Any]]:
    while training.epoch < training.config.epochs:
        training.run_epoch()
    return [timeless(metrics) for metrics in training.curve]


def kept_after(training: Training, path: Path, epochs: int) -> None:
    keeper = Unfinished(path, every_s=0)
    for _ in range(epochs):
        training.run_epoch()
        keeper.completed(training)


def require_same(lab: Laboratory, config: TrialConfig, path: Path) -> None:
    """Train in one go, and with an interruption after two epochs."""
    whole, begun, resumed = (lab.training(config) for _ in range(3))
    kept_after(begun, path, epochs=2)
    assert Unfinished(path, 60).go_on(resumed)
    assert resumed.curve == begun.curve  # with the times
    assert np.array_equal(judged(resumed).probabilities, judged(begun).probabilities)
    assert run_on(resumed) == run_on(whole)
    assert np.array_equal(judged(resumed).probabilities, judged(whole).probabilities)
    states = (training.trained.state_dict() for training in (whole, resumed))
    for (name, expected), found in zip(next(states).items(), next(states).values(), strict=True):
        assert torch.equal(expected, found), name


@pytest.mark.parametrize(
    "config", [SGD, ADAMW, replace(SGD, frozen_stages=9), replace(ADAMW, soup_size=3)]
)
def test_a_resumed_training_is_the_same_to_the_bit(
    lite0_lab: Laboratory, config: TrialConfig, tmp_path: Path
) -> None:
    require_same(lite0_lab, config, tmp_path / "state.pt")


def test_stochastic_depth_goes_on_where_it_was(
    tiny_dataset: Dataset, shared_cache: TensorCache, tmp_path: Path
) -> None:
    task = TaskConfig("efficientnet_b0", "none", 32)
    backbone = load_backbone("efficientnet_b0", "none")
    lab = Laboratory(tiny_dataset, backbone, task, shared_cache)
    require_same(lab, replace(ADAMW, frozen_stages=7, epochs=3), tmp_path / "state.pt")


def test_a_short_training_writes_nothing(lite0_lab: Laboratory, tmp_path: Path) -> None:
    path, clock = tmp_path / "state.pt", Clock()
    keeper, training = Unfinished(path, 60, clock), lite0_lab.training(SGD)
    written = []
    for clock.now_s in (30.0, 59.0, 61.0, 100.0):
        training.run_epoch()
        keeper.completed(training)
        written.append(path.is_file() and len(torch.load(path)["state"]["curve"]))
    assert written == [False, False, 3, 3]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("changed", [{"lr": 0.02}, {"seed": 1}, {"epochs": 5}])
def test_the_state_of_another_training_is_not_gone_on_from(
    lite0_lab: Laboratory, tmp_path: Path, changed: dict[str, Any]
) -> None:
    path = tmp_path / "state.pt"
    kept_after(lite0_lab.training(SGD), path, epochs=1)
    other = lite0_lab.training(replace(SGD, **changed))
    assert not Unfinished(path, 60).go_on(other)
    assert (other.epoch, other.curve) == (0, [])


def test_the_state_on_other_images_or_of_another_version_is_not_gone_on_from(
    lite0_lab: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.pt"
    kept_after(lite0_lab.training(SGD), path, epochs=1)
    images = replace(lite0_lab.dataset, fingerprint="0" * 64)
    elsewhere = replace(lite0_lab, dataset=images).training(SGD)
    assert not Unfinished(path, 60).go_on(elsewhere)
    monkeypatch.setattr(unfinished, "__version__", "another")
    assert not Unfinished(path, 60).go_on(lite0_lab.training(SGD))
    monkeypatch.undo()
    assert Unfinished(path, 60).go_on(lite0_lab.training(SGD))


@pytest.mark.parametrize(
    "missing",
    ["curve", "probabilities", "members", "largest_piece", ("members", 0), ("curve", 0, "val_loss"),
     ("members", 0, 0, "0.weight"), ("members", 0, 1, "param_groups")],
)  # fmt: skip
def test_a_state_that_lacks_something_changes_nothing(
    lite0_lab: Laboratory, tmp_path: Path, caplog: pytest.LogCaptureFixture, missing: Any
) -> None:
    path, config = tmp_path / "state.pt", replace(SGD, frozen_stages=9)
    kept_after(lite0_lab.training(config), path, epochs=1)
    kept = torch.load(path)
    *parents, last = (missing,) if isinstance(missing, str) else missing
    inside = kept["state"]
    for key in parents:
        inside = inside[key]
    del inside[last]
    torch.save(kept, path)
    fresh, begun = lite0_lab.training(config), lite0_lab.training(config)
    assert not Unfinished(path, 60).go_on(begun)
    assert "is damaged, the trial begins again" in caplog.text
    assert run_on(begun) == run_on(fresh)


def test_a_soup_that_lacks_a_part_of_a_later_member_begins_again(
    lite0_lab: Laboratory, tmp_path: Path
) -> None:
    """What was read of the members before it is forgotten."""
    path, config = tmp_path / "state.pt", replace(ADAMW, soup_size=2)
    kept_after(lite0_lab.training(config), path, epochs=1)
    kept = torch.load(path)
    del kept["state"]["members"][1][1]["param_groups"]
    torch.save(kept, path)
    fresh, begun = lite0_lab.training(config), lite0_lab.training(config)
    assert not Unfinished(path, 60).go_on(begun)
    assert run_on(begun) == run_on(fresh)


def test_a_damaged_file_is_a_warning_and_no_file_is_nothing(
    lite0_lab: Laboratory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, training = tmp_path / "state.pt", lite0_lab.training(SGD)
    assert not Unfinished(path, 60).go_on(training)
    assert caplog.text == ""
    kept_after(lite0_lab.training(SGD), path, epochs=1)
    for damaged in (path.read_bytes()[:-1000], b"", b"no state"):
        path.write_bytes(damaged)
        with caplog.at_level(logging.WARNING):
            assert not Unfinished(path, 60).go_on(training)
        assert "is damaged, the trial begins again" in caplog.text
        caplog.clear()
    assert training.epoch == 0


def test_where_nothing_can_be_written_the_training_goes_on(
    lite0_lab: Laboratory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    kept_after(lite0_lab.training(SGD), tmp_path / "file" / "state.pt", epochs=1)
    assert "nothing is kept in" in caplog.text


def test_on_a_full_disk_the_training_goes_on_and_its_last_state_stays(
    lite0_lab: Laboratory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, training = tmp_path / "state.pt", lite0_lab.training(SGD)
    kept_after(training, path, epochs=1)
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        kept_after(training, path, epochs=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "could not be written to its end" in caplog.text
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before
    assert training.epoch == 2


def test_where_a_file_cannot_be_looked_for_there_is_none(
    lite0_lab: Laboratory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    forbidden = tmp_path / ("long" * 100) / "state.pt"  # as a folder of another user's, for root
    with pytest.raises(OSError, match="name too long"):
        forbidden.is_file()
    assert not Unfinished(forbidden, 60).go_on(lite0_lab.training(SGD))
    kept_after(lite0_lab.training(SGD), forbidden, epochs=1)
    assert "nothing is kept in" in caplog.text


def test_there_is_no_state_before_the_first_epoch(lite0_lab: Laboratory) -> None:
    with pytest.raises(RuntimeError, match="no epoch was completed"):
        lite0_lab.training(SGD).state()
