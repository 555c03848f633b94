"""The numbers of a report as the tables that its charts read: a list of values for each column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from results.report.answers import MOST_CLASSES
from results.report.report import Report
from results.schema import Objective, TrialStatus

Table = Mapping[str, list[Any]]
_GOOD_SHARE = 0.1  # of the trials, in parallel coordinates


def tables(report: Report) -> dict[str, Table]:
    """Return every table, by the name that charts know it by."""
    calibration = report.calibration
    found: dict[str, Iterable[Any]] = {
        "scores": map(asdict, report.verdict.scores),
        "by_depth": map(asdict, report.by_depth),
        "by_backbone": map(asdict, report.by_backbone),
        "trials": _flat_trials(report),
        "curves": map(asdict, report.curves),
        "positions": _positions(report),
        "dimension_ends": _dimension_ends(report),
        "importance": map(asdict, report.importance),
        "confusion": map(asdict, report.confusion if len(report.classes) <= MOST_CLASSES else ()),
        "calibration": map(asdict, calibration.bins if calibration else ()),
        "diagonal": ({"confidence": end, "accuracy": end} for end in (0, 1)),
        "stretches": map(asdict, report.timeline.stretches),
    }
    return {name: _columns(list(rows)) for name, rows in found.items()}


def _columns(rows: list[dict[str, Any]]) -> Table:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [_short(row.get(name)) for row in rows] for name in names}


def _short(value: Any) -> Any:
    """Return a number with the digits that a chart can show."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _flat_trials(report: Report) -> Iterable[dict[str, Any]]:
    for trial in report.trials:
        flat = asdict(trial)
        yield flat | flat.pop("configuration")


def _positions(report: Report) -> Iterable[dict[str, Any]]:
    order = {dimension.name: place for place, dimension in enumerate(report.dimensions)}
    good = _good(report)
    for position in report.positions:
        yield {
            "trial_number": position.trial_number,
            "dimension": position.dimension,
            "position": position.position,
            "order": order[position.dimension],
            "is_good": position.trial_number in good,
        }


def _good(report: Report) -> set[int]:
    """Return the best tenth of the trials in the space, of the complete ones."""
    sign = -1 if report.verdict.objective == Objective.VAL_ACCURACY else 1
    in_space = {position.trial_number for position in report.positions}
    complete = [
        trial
        for trial in report.trials
        if trial.status == TrialStatus.COMPLETE
        and trial.score is not None
        and trial.trial_number in in_space
    ]
    ranked = sorted(complete, key=lambda t: sign * (t.score or 0.0))
    return {t.trial_number for t in ranked[: max(1, round(_GOOD_SHARE * len(report.trials)))]}


def _dimension_ends(report: Report) -> Iterable[dict[str, Any]]:
    for dimension in report.dimensions:
        if dimension.is_number:
            labels = [f"{dimension.low:.3g}", f"{dimension.high:.3g}"]
        else:
            labels = [dimension.choices[0], dimension.choices[-1]]
        for place, label in enumerate(labels):
            yield {
                "dimension": dimension.name,
                "position": place,
                "label": label,
                "is_high": place == 1,
            }
