"""The charts of a report in the grammar of Vega-Lite, as plain values; data is named, not held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from results.report.answers import MOST_CLASSES
from results.report.drawing import answering, comparing, searching
from results.report.drawing.style import Spec
from results.report.report import Report


def charts(report: Report, validate: bool = False) -> Mapping[str, Spec]:
    """Return the charts that a report has something to draw for, by the names of their places.

    Args:
        validate: Hold them against the schema of the grammar, which takes most of a second.
    """
    places: dict[str, tuple[bool, Callable[[Report], Any]]] = {
        "scores": (bool(report.verdict.scores), comparing.scores),
        "depth": (len(report.by_depth) > 1, comparing.depth),
        "backbone": (len(report.by_backbone) > 1, comparing.backbone),
        "cost": (bool(report.by_depth), comparing.cost),
        "history": (any(t.score is not None for t in report.trials), searching.history),
        "curves": (bool(report.curves), searching.curves),
        "parallel": (len(report.dimensions) > 1, searching.parallel),
        "importance": (bool(report.importance), comparing.importance),
        "confusion": (0 < len(report.classes) <= MOST_CLASSES, answering.confusion),
        "calibration": (report.calibration is not None, answering.calibration),
        "timeline": (bool(report.timeline.stretches), searching.timeline),
    }
    found = {name: draw(report) for name, (is_there, draw) in places.items() if is_there}
    for place, dimension in enumerate(report.dimensions):
        found[f"slice-{place}"] = searching.slice_of(report, dimension)
    return {name: _plain(chart, validate) for name, chart in found.items()}


def _plain(chart: Any, validate: bool) -> Spec:
    spec: Spec = chart.properties(width="container").to_dict(validate=validate)
    del spec["config"]
    return spec
