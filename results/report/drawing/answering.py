"""Draws what was answered: confusions, and how far confidence can be believed."""

from __future__ import annotations

from typing import Any

import altair as alt

from results.report.drawing.style import ACCENT, BAD, GREY, HEIGHT, INK, LINE, data
from results.report.report import Report


def confusion(report: Report) -> Any:
    """Draw what classes were taken for, in the order of the table.

    Names of classes stay in the table: Vega's expressions cannot hold every text.
    """
    num_classes = len(report.classes)
    is_small = num_classes <= 12
    below = alt.Axis(labelAngle=-30, labelOverlap=not is_small, labelLimit=100)
    base = alt.Chart(data("confusion"), height=num_classes * (46 if is_small else 20)).encode(
        alt.X("predicted:N", sort=None, title="answered", axis=below),
        alt.Y("truth:N", sort=None, title="is"),
        tooltip=["truth:N", "predicted:N", "count:Q", alt.Tooltip("share:Q", format=".1%")],
    )
    right = "datum.truth == datum.predicted"
    cells = base.mark_rect(stroke=LINE).encode(
        color=alt.condition(right, alt.value(ACCENT), alt.value(BAD)),
        opacity=alt.Opacity(
            "share:Q", scale=alt.Scale(domain=[0, 1], range=[0, 0.75]), legend=None
        ),
    )
    if not is_small:
        return cells
    return alt.layer(cells, base.mark_text(fontSize=13, color=INK).encode(alt.Text("count:Q")))


def calibration(report: Report) -> Any:
    """Draw confidence against accuracy."""
    base = alt.Chart(data("calibration"), height=HEIGHT + 40).encode(
        tooltip=["confidence:Q", "accuracy:Q", "count:Q"]
    )
    scale, axis = alt.Scale(domain=[0, 1], nice=False), alt.Axis(format=".0%", tickCount=5)
    x = alt.X("confidence:Q", title="confidence", scale=scale, axis=axis)
    y = alt.Y("accuracy:Q", title="how often right", scale=scale, axis=axis)
    ideal = alt.Chart(data("diagonal")).mark_line(color=GREY, strokeDash=[4, 4])
    rule = base.mark_rule(color=ACCENT).encode(x, alt.Y("low:Q", scale=scale), alt.Y2("high:Q"))
    size = alt.Size(
        "count:Q",
        title="images",
        scale=alt.Scale(range=[30, 400]),
        legend=alt.Legend(columns=6, tickCount=4),
    )
    point = base.mark_point(filled=True, color=ACCENT, opacity=0.9).encode(x, y, size)
    return alt.layer(ideal.encode(x, y), rule, point)
