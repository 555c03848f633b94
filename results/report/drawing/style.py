"""How charts look, and what several of them share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from results.report.report import Report
from results.schema import Objective, TrialStatus

Spec = dict[str, Any]

INK: Any = "var(--ink)"
ACCENT: Any = "var(--accent)"
GREY: Any = "var(--grey)"
BAD: Any = "var(--bad)"
PAPER: Any = "var(--paper)"
MUTED: Any = "var(--muted)"
LINE: Any = "var(--line)"
DEPTHS = ["#7b4fbf", "#3f78c9", "#2097a0", "#3ba55d", "#a8a02c", "#d98324", "#d1495b"]
"""From the deepest training to the head alone; each is seen on white and on black."""
_STATUSES = {
    TrialStatus.COMPLETE: ACCENT,
    TrialStatus.STOPPED: GREY,
    TrialStatus.UNFINISHED: "var(--warm)",
    TrialStatus.FAILED: BAD,
}
HEIGHT = 260
ROW = 22  # pixels of a row of text
TWO_ROWS = 38

CONFIG: Spec = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "padding": {"left": 2, "right": 8, "top": 6, "bottom": 2},
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)", "titleColor": "var(--muted)", "gridColor": "var(--line)",
        "domainColor": "var(--line)", "tickColor": "var(--line)", "labelFontSize": 12,
        "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 220, "labelOverlap": True,
    },
    "legend": {
        "labelColor": "var(--muted)", "titleColor": "var(--muted)", "labelFontSize": 12,
        "titleFontSize": 12, "titleFontWeight": "normal", "orient": "top", "offset": 4,
        "labelLimit": 220, "columns": 4,
    },
    "text": {"color": "var(--ink)"},
}  # fmt: skip
"""How charts look; colours are the page's, so that they follow light and dark."""


def data(name: str) -> alt.NamedData:
    """Name a table of the page."""
    return alt.NamedData(name=name)


def objective_title(report: Report) -> str:
    """Return what the sweep optimises, for people."""
    is_accuracy = report.verdict.objective == Objective.VAL_ACCURACY
    return "validation accuracy" if is_accuracy else "validation log-loss"


def score_ends(report: Report) -> tuple[float, float]:
    """Return the ends of a scale of scores: the best, and three times as far from it as the median.

    What lies beyond is drawn at its edge: one diverged trial would squeeze all others together.
    """
    is_accuracy = report.verdict.objective == Objective.VAL_ACCURACY
    scores = sorted((t.score for t in report.trials if t.score is not None), reverse=is_accuracy)
    best, worst = scores[0], scores[-1]
    reach = 3 * (scores[len(scores) // 2] - best)
    far = worst if reach == 0 or abs(reach) > abs(worst - best) else best + reach
    margin = max(abs(far - best) * 0.06, 0.002)
    low, high = min(best, far) - margin, max(best, far) + margin
    return max(low, 0.0), min(high, 1.0) if is_accuracy else high


def score_y(report: Report, field: str = "score") -> alt.Y:
    """Return the vertical axis of scores."""
    is_accuracy = report.verdict.objective == Objective.VAL_ACCURACY
    axis = alt.Axis(format=".1%" if is_accuracy else ".3f", tickCount=6)
    scale = alt.Scale(domain=list(score_ends(report)), clamp=True, nice=False, zero=False)
    return alt.Y(
        field, type="quantitative", title=objective_title(report), scale=scale, axis=axis,
    )  # fmt: skip


def status_colour(report: Report, **more: str) -> alt.Color:
    """Colour trials by how they ended, and what is drawn beside them as is said here."""
    there = {t.status for t in report.trials}
    known = {str(status): colour for status, colour in _STATUSES.items() if status in there}
    known |= more
    scale = alt.Scale(domain=list(known), range=list(known.values()))
    return alt.Color("status:N", scale=scale, title=None)


def about_trial(*more: alt.Tooltip) -> list[alt.Tooltip]:
    """Return what is told of a trial that is pointed at."""
    return [
        alt.Tooltip("trial_number:Q", title="trial"),
        alt.Tooltip("status:N"),
        alt.Tooltip("score:Q", format=".4f"),
        alt.Tooltip("frozen_stages:Q", title="frozen stages"),
        alt.Tooltip("training_s:Q", title="seconds", format=".1f"),
        *more,
    ]


def interval(base: alt.Chart, name: str, x: alt.X, low: str, high: str) -> Any:
    """Draw points with their intervals, a row each, its name above it: phones are narrow."""
    rows = alt.Y(name, title=None, sort=None, axis=alt.Axis(labels=False, ticks=False))
    base = base.encode(rows)
    text = base.mark_text(align="left", dx=4, dy=-12, color=MUTED, fontSize=12)
    label = text.encode(alt.Text(name), x=alt.value(0))
    rule = base.mark_rule(strokeWidth=2, color=GREY).encode(alt.X(low), alt.X2(high))
    point = base.mark_point(filled=True, size=90, opacity=1, color=ACCENT).encode(x)
    return alt.layer(rule, point, label)


def percent_x(field: str, title: str) -> alt.X:
    """Return a horizontal axis of fractions."""
    axis = alt.Axis(format=".0%", tickCount=6)
    return alt.X(field, title=title, scale=alt.Scale(zero=False, padding=10), axis=axis)


def spread(colours: Sequence[str], count: int) -> list[str]:
    """Choose so many colours that lie as far apart as can be."""
    last = len(colours) - 1
    return [colours[round(place * last / max(count - 1, 1))] for place in range(count)]
