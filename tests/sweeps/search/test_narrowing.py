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
    tried = [study.next()]
    study.narrow(["resnet18"])
    tried += [study.next() for _ in range(5)]
    configs = [one.config for one in tried if one is not None]
    assert [(config.backbone, config.frozen_stages) for config in configs] == [
        ("efficientnet_lite0", 9), ("resnet18", 4),
        *[("efficientnet_lite0", k) for k in (5, 5, 5, 1)],
    ]  # fmt: skip


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_the_portfolio_is_tried_on_the_best_and_below_the_top_on_the_cheapest(
    sampler: str, tmp_path: Path
) -> None:
    """What one costs is told by network and size; the cheapest need not be among those left."""
    left = ["efficientnet_lite2@320", "efficientnet_lite1@272", "efficientnet_lite2"]
    spec = make_spec(
        {"frozen_stages": {"int": [5, "all"]}, "lr": {"log_uniform": [0.001, 0.1]}},
        backbone={"choice": ["efficientnet_lite0", *left]},
        search={"sampler": sampler, "trials": 30, "first": ["portfolio"]},
    )
    study = SearchStudy.open(spec, tmp_path / "study.journal")
    study.narrow(left)
    asked = [one for one in (study.next() for _ in range(30)) if one is not None]
    tried = [(one.config.backbone, one.config.frozen_stages) for one in asked if one.first]
    deep = [("efficientnet_lite0", k) for k in (7, 7, 7, 5)]
    assert tried == [("efficientnet_lite2@320", 9), ("efficientnet_lite2@320", 8), *deep]
    assert {one.config.backbone for one in asked if one.first is None} == set(left)


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes"])
def test_only_what_is_left_is_proposed(sampler: str, tmp_path: Path) -> None:
    study = study_of(sampler, tmp_path)
    assert proposed(study, 20) == set(NAMES)
    study.narrow(NAMES[1:])
    assert proposed(study, 20) == set(NAMES[1:])
    study.narrow(NAMES[2:])
    assert proposed(study, 10) == set(NAMES[2:])
