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


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes"])
def test_only_what_is_left_is_proposed(sampler: str, tmp_path: Path) -> None:
    study = study_of(sampler, tmp_path)
    assert proposed(study, 20) == set(NAMES)
    study.narrow(NAMES[1:])
    assert proposed(study, 20) == set(NAMES[1:])
    study.narrow(NAMES[2:])
    assert proposed(study, 10) == set(NAMES[2:])
