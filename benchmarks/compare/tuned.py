"""Every number of frozen stages once, BatchNorm frozen, beside the tuned Ray Tune script."""

from __future__ import annotations

from typing import Any

from benchmarks.compare.baseline import run_tuned_list
from benchmarks.compare.measured import Baseline, Row
from benchmarks.compare.ours import make_spec, run_ours
from benchmarks.compare.pairs import alternate
from benchmarks.compare.settings import Settings
from sweeps.search.space import SearchSpace

FIXED = {
    "lr": 0.005, "momentum": 0.9, "weight_decay": 0.0, "batch_size": 32, "label_smoothing": 0.0,
    "batchnorm": "frozen", "schedule": "constant",
}  # fmt: skip


def measure(settings: Settings) -> list[Row]:
    """Measure EfficientNet-Lite0 and ResNet-18, whose weights do not matter for speed."""
    networks = {"efficientnet_lite0": (10, 3, "default"), "resnet18": (6, 2, "none")}
    return [
        _pair(settings, backbone, range(depths), settings.pick(epochs, 1), weights)
        for backbone, (depths, epochs, weights) in networks.items()
    ]


def _pair(settings: Settings, backbone: str, depths: range, epochs: int, weights: str) -> Row:
    ks = list(depths)[-2:] if settings.tiny else list(depths)
    spec = make_spec(
        settings,
        name=f"tuned-{backbone.replace('_', '-')}",
        backbone=backbone,
        weights=weights,
        epochs=epochs,
        views=3,
        search={"sampler": "grid", "trials": len(ks), "early_stopping": "none"},
        space={**FIXED, "frozen_stages": {"choice": ks}},
    )
    shared: dict[str, Any] = {**FIXED, "backbone": backbone, "epochs": epochs}
    configs = [
        shared | {"frozen_stages": int(point["frozen_stages"])}
        for point in SearchSpace.of(spec).grid()
    ]
    ours, theirs = alternate(
        settings, lambda: run_ours(settings, spec), lambda: run_tuned_list(settings, configs)
    )
    name = f"tuned: {backbone}, k = {ks[0]}..{ks[-1]} once each, {epochs} epochs"
    return Row(name, ours, Baseline(theirs, theirs.seconds, system="tuned Ray Tune"))
