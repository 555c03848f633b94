"""Draws the search: history, learning curves, the space, the workers."""

from __future__ import annotations

from typing import Any

import altair as alt

from results.report.drawing.style import (
    ACCENT,
    GREY,
    HEIGHT,
    INK,
    MUTED,
    PAPER,
    ROW,
    about_trial,
    data,
    score_y,
    status_colour,
)
from results.report.report import Report
from results.report.space import Dimension
from results.report.timeline import FINALS


def history(report: Report) -> Any:
    """Draw the trials in their order, and the best so far."""
    base = alt.Chart(data("trials"), height=HEIGHT)
    x = alt.X("trial_number:Q", title="trial", axis=alt.Axis(tickMinStep=1, tickCount=10))
    points = (
        base.transform_filter("isValid(datum.score)")
        .mark_point(filled=True, size=36, opacity=0.75)
        .encode(x, score_y(report), status_colour(report), tooltip=about_trial())
    )
    best = (
        base.transform_filter("isValid(datum.best_so_far)")
        .mark_line(interpolate="step-after", strokeWidth=2, color=INK)
        .encode(x, score_y(report, "best_so_far"))
    )
    return alt.layer(points, best)


def curves(report: Report) -> Any:
    """Draw learning curves; those of trials that were given up are grey."""
    best = report.verdict.trial_number
    base = alt.Chart(data("curves"), height=HEIGHT + 40).encode(
        alt.X(
            "epoch:Q",
            title="epoch",
            axis=alt.Axis(tickMinStep=1, format="d", tickCount=10),
            scale=alt.Scale(zero=False, nice=False, padding=10),
        ),
        score_y(report),
        alt.Detail("trial_number:N"),
        tooltip=["trial_number:N", "epoch:Q", alt.Tooltip("score:Q", format=".4f")],
    )
    point = {"filled": True, "size": 14}
    stopped = base.transform_filter("datum.is_stopped").mark_line(
        strokeWidth=1, opacity=0.5, color=GREY, point=point | {"color": GREY}
    )
    complete = base.transform_filter("!datum.is_stopped").mark_line(
        strokeWidth=1.2, opacity=0.55, color=ACCENT, point=point | {"color": ACCENT}
    )
    winner = base.transform_filter(f"datum.trial_number == {-1 if best is None else best}")
    thick = winner.mark_line(strokeWidth=3, color=INK, point=point | {"color": INK, "size": 40})
    return alt.layer(stopped, complete, thick)


def parallel(report: Report) -> Any:
    """Draw every trial as a line through its hyperparameters, a row each: readable on a phone."""
    order = [dimension.name for dimension in report.dimensions]
    best = report.verdict.trial_number
    base = alt.Chart(data("positions"), height=len(order) * 48)
    axis = alt.Axis(grid=True, domain=False, labels=False, ticks=False)
    y = alt.Y("dimension:N", sort=order, title=None, axis=axis)
    x = alt.X("position:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False, padding=8))
    line = base.encode(x, y, alt.Detail("trial_number:N"), alt.Order("order:Q"))
    others = line.transform_filter("!datum.is_good").mark_line(
        strokeWidth=0.8, opacity=0.35, color=GREY
    )
    good = line.transform_filter("datum.is_good").mark_line(
        strokeWidth=1.3, opacity=0.7, color=ACCENT
    )
    thick = line.transform_filter(f"datum.trial_number == {-1 if best is None else best}")
    winner = thick.mark_line(strokeWidth=3, color=INK, point={"filled": True, "color": INK})
    return alt.layer(others, good, winner, *_row_texts(x, y))


def _row_texts(x: alt.X, y: alt.Y) -> list[Any]:
    """Write the name of each row above it and its ends below, each on a halo that covers lines."""
    ends = alt.Chart(data("dimension_ends"))
    low, high = (ends.transform_filter(f"datum.is_high == {side}") for side in ("false", "true"))
    texts: list[tuple[alt.Chart, Any, Any, int]] = [
        (low, "dimension:N", "left", -9),
        (low, "label:N", "left", 11),
        (high, "label:N", "right", 11),
    ]
    drawn = []
    for chart, field, align, dy in texts:
        place = chart.encode(x, y, alt.Text(field))
        halo = place.mark_text(
            align=align, dy=dy, fontSize=11, stroke=PAPER, strokeWidth=4, color=PAPER
        )
        colour = INK if field == "dimension:N" else MUTED
        drawn += [halo, place.mark_text(align=align, dy=dy, fontSize=11, color=colour)]
    return drawn


def slice_of(report: Report, dimension: Dimension) -> Any:
    """Draw scores against one hyperparameter."""
    base = alt.Chart(data("trials"), height=170).transform_filter(
        f"isValid(datum.score) && isValid(datum['{dimension.name}']) && datum.first != 'probe'"
    )
    colour, tooltip = (
        status_colour(report).legend(None),
        about_trial(alt.Tooltip(dimension.name, type="nominal")),
    )
    y = score_y(report).title(None)
    if not dimension.is_number:
        x = alt.X(dimension.name, type="nominal", title=dimension.name, sort=None)
        spread_out = base.transform_calculate(aside="(datum.trial_number * 0.618034) % 1")
        return spread_out.mark_point(filled=True, size=26, opacity=0.6).encode(
            x.axis(alt.Axis(labelAngle=-30, labelOverlap=False, labelLimit=90)), y, colour,
            alt.XOffset("aside:Q"), tooltip=tooltip,
        )  # fmt: skip
    if dimension.is_log:
        base = base.transform_filter(f"datum['{dimension.name}'] > 0")
    kind = {"type": "log"} if dimension.is_log else {"zero": False}
    scale = alt.Scale(padding=8, nice=False, **kind)
    axis = alt.Axis(format="~r", tickCount=4, grid=False)
    if dimension.is_whole:
        axis = alt.Axis(format="d", tickCount=4, grid=False, tickMinStep=1)
    x = alt.X(dimension.name, type="quantitative", title=dimension.name, scale=scale, axis=axis)
    return base.mark_point(filled=True, size=26, opacity=0.6).encode(x, y, colour, tooltip=tooltip)


def timeline(report: Report) -> Any:
    """Draw the trials of every worker, and what it did in finals."""
    workers = {stretch.worker for stretch in report.timeline.stretches}
    has_finals = any(stretch.status == FINALS for stretch in report.timeline.stretches)
    return (
        alt.Chart(data("stretches"), height=len(workers) * (ROW + 4))
        .mark_bar(stroke=PAPER, strokeWidth=0.5)
        .encode(
            alt.X("start_s:Q", title="seconds since the first trial began"),
            alt.X2("end_s:Q"),
            alt.Y("worker:N", sort=None, title=None),
            status_colour(report, **({FINALS: INK} if has_finals else {})),
            tooltip=["trial_number:Q", "status:N", "worker:N", "start_s:Q", "end_s:Q"],
        )
    )
