"""Once some backbones are left, no other is proposed, whatever the sampler would choose."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.search.study import SearchStudy
from tests.sweeps.sweep_fakes import make_spec

NAMES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


def study_of(sampler: str, folder: Path) -> SearchStudy:
    spec = make_spec(
        {"frozen_stages": {"int": [7, "all"]}, "lr": {"log_uniform": [0.001, 0.1]}},
        backbone={"choice": list(NAMES)},
        search={"sampler": sampler, "trials": 100, "first": []},
    )
    return SearchStudy.open(spec, folder / "study.journal")


def proposed(study: SearchStudy, count: int) -> set[str | None]:
    asked = [study.next() for _ in range(count)]
    return {one.config.backbone for one in asked if one is not None}


def test_a_portfolio_follows_to_a_backbone_of_another_depth(tmp_path: Path) -> None:
    """Lite0 has nine stages, ResNet-18 five: as deep, each in its own number."""
    spec = make_spec(
        {"frozen_stages": {"int": [1, "all"]}},
        backbone={"choice": ["efficientnet_lite0", "resnet18"]},
        search={"trials": 9, "first": ["portfolio"]},
    )
    study = SearchStudy.open(spec, tmp_path / "study.journal")
    study.narrow(["efficientnet_lite0"])
    tried = [study.next() for _ in range(2)]
    study.narrow(["resnet18"])
    tried += [study.next() for _ in range(4)]
    configs = [one.config for one in tried if one is not None]
    assert [(config.backbone, config.frozen_stages) for config in configs] == [
        ("efficientnet_lite0", 9), ("efficientnet_lite0", 8),
        ("resnet18", 3), ("resnet18", 3), ("resnet18", 3), ("resnet18", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_the_portfolio_goes_to_the_cheapest_that_is_left(sampler: str, tmp_path: Path) -> None:
    """What it costs is told by network and size; the search takes any of them."""
    left = ["efficientnet_lite2@320", "efficientnet_lite1@272", "efficientnet_lite2"]
    spec = make_spec(
        {"frozen_stages": {"int": [5, "all"]}, "lr": {"log_uniform": [0.001, 0.1]}},
        backbone={"choice": ["efficientnet_lite0", *left]},
        search={"sampler": sampler, "trials": 30, "first": ["portfolio"]},
    )
    study = SearchStudy.open(spec, tmp_path / "study.journal")
    study.narrow(left)
    asked = [one for one in (study.next() for _ in range(30)) if one is not None]
    tried = [one.config.backbone for one in asked if one.first is not None]
    assert tried == ["efficientnet_lite1@272"] * len(tried)
    assert len(tried) >= 4
    assert {one.config.backbone for one in asked if one.first is None} == set(left)


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes"])
def test_only_what_is_left_is_proposed(sampler: str, tmp_path: Path) -> None:
    study = study_of(sampler, tmp_path)
    assert proposed(study, 20) == set(NAMES)
    study.narrow(NAMES[1:])
    assert proposed(study, 20) == set(NAMES[1:])
    study.narrow(NAMES[2:])
    assert proposed(study, 10) == set(NAMES[2:])
