"""Draws what was better than what: scores, depths, backbones, prices, importances."""

from __future__ import annotations

from typing import Any

import altair as alt

from results.report.drawing.style import (
    ACCENT,
    DEPTHS,
    HEIGHT,
    INK,
    ROW,
    TWO_ROWS,
    about_trial,
    data,
    interval,
    percent_x,
    score_y,
    spread,
)
from results.report.report import Report


def scores(report: Report) -> Any:
    """Draw accuracies side by side."""
    base = alt.Chart(data("scores"), height=len(report.verdict.scores) * TWO_ROWS).encode(
        tooltip=["name:N", alt.Tooltip("accuracy:Q", format=".2%"), "loss:Q", "num_images:Q"]
    )
    x = percent_x("accuracy:Q", "accuracy, 95 % interval")
    return interval(base, "name:N", x, "low:Q", "high:Q")


def backbone(report: Report) -> Any:
    """Draw the best of every backbone."""
    base = alt.Chart(data("by_backbone"), height=len(report.by_backbone) * TWO_ROWS).encode(
        tooltip=["backbone:N", "num_trials:Q", "trial_number:Q", "accuracy:Q", "epoch_s:Q"]
    )
    x = percent_x("accuracy:Q", "accuracy of the best")
    return interval(base, "backbone:N", x, "low:Q", "high:Q")


def depth(report: Report) -> Any:
    """Draw the best at every depth."""
    base = alt.Chart(data("by_depth"), height=HEIGHT).encode(
        alt.X("frozen_stages:O", title="frozen stages", axis=alt.Axis(labelAngle=0)),
        alt.XOffset("backbone:N"),
        alt.Color(
            "backbone:N", title=None, scale=alt.Scale(range=[*DEPTHS[1::2], *DEPTHS[::2]]),
            legend=alt.Legend(columns=2),
        ),
        tooltip=[
            "backbone:N", "frozen_stages:Q", "num_trials:Q", "trial_number:Q",
            alt.Tooltip("accuracy:Q", format=".2%"), alt.Tooltip("epoch_s:Q", format=".2f"),
        ],
    )  # fmt: skip
    scale = alt.Scale(zero=False)
    y = alt.Y("accuracy:Q", title="accuracy of the best", scale=scale, axis=alt.Axis(format=".0%"))
    rule = base.mark_rule(strokeWidth=2).encode(alt.Y("low:Q"), alt.Y2("high:Q"))
    return alt.layer(rule, base.mark_point(filled=True, size=90, opacity=1).encode(y))


def cost(report: Report) -> Any:
    """Draw scores against seconds, and the front."""
    depths = sorted({t.configuration.get("frozen_stages", 0) for t in report.trials})
    base = alt.Chart(data("trials"), height=HEIGHT + 60).transform_filter(
        "isValid(datum.score) && datum.training_s > 0"
    )
    x = alt.X(
        "training_s:Q", title="seconds of training", scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~r", tickCount=6, grid=False),
    )  # fmt: skip
    colours = alt.Scale(domain=depths, range=spread(DEPTHS, len(depths)))
    opacity = alt.condition("datum.status == 'complete'", alt.value(0.85), alt.value(0.45))
    colour = alt.Color(
        "frozen_stages:O", title="frozen stages", scale=colours, legend=alt.Legend(columns=6)
    )
    points = base.mark_point(filled=True, size=50).encode(
        x, score_y(report), colour, opacity=opacity, tooltip=about_trial()
    )
    front = (
        base.transform_filter("datum.is_on_front")
        .mark_line(interpolate="step-after", color=INK, strokeWidth=1.5)
        .encode(x, score_y(report))
    )
    return alt.layer(points, front)


def importance(report: Report) -> Any:
    """Draw what decided."""
    base = alt.Chart(data("importance"), height=len(report.importance) * ROW).encode(
        alt.Y("name:N", sort=None, title=None),
        tooltip=[
            "name:N",
            *(alt.Tooltip(f"{f}:Q", format=".2f") for f in ("share", "low", "high")),
        ],
    )
    axis = alt.Axis(format=".0%", tickCount=6)
    x = alt.X("share:Q", title="share of what decided, 95 % interval", axis=axis)
    bar = base.mark_bar(color=ACCENT, opacity=0.75).encode(x)
    rule = base.mark_rule(strokeWidth=1.5, color=INK).encode(alt.X("low:Q"), alt.X2("high:Q"))
    return alt.layer(bar, rule)
