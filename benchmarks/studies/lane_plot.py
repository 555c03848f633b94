"""Draws how near the bound ways to place trials come, by cluster and number of trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import altair as alt
import vl_convert

COLOURS = {
    "ours": "#3f78c9", "first free": "#d98324", "GPUs only": "#3ba55d", "CPUs only": "#7b4fbf",
    "all known": "#888888",
}  # fmt: skip
WORST = 8.0  # what is worse is drawn at this height


@dataclass(frozen=True)
class Point:
    """One makespan, in units of the bound."""

    cluster: str
    ratio: str
    trials: int
    way: str
    over: float


def svg(points: Sequence[Point]) -> str:
    """Return the picture as SVG: a field for each cluster and ratio, a line for each way."""
    rows = [asdict(point) for point in points]
    sizes = sorted({point.trials for point in points})
    base = alt.Chart(alt.Data(values=rows))
    lines = base.mark_line(point=True, clip=True).encode(
        x=alt.X("trials:Q", scale=alt.Scale(type="log"), axis=alt.Axis(values=sizes)),
        y=alt.Y(
            "over:Q",
            title="makespan / bound",
            scale=alt.Scale(type="log", domain=[1, WORST], clamp=True),
            axis=alt.Axis(values=[1, 1.1, 1.5, 2, 4, WORST]),
        ),
        color=alt.Color("way:N", title=None, scale=_colours(points)),
    )
    chart: Any = lines.properties(width=170, height=130).facet(
        row=alt.Row("cluster:N", title=None, sort=_in_order([p.cluster for p in points])),
        column=alt.Column("ratio:N", title=None, sort=_in_order([p.ratio for p in points])),
    )
    chart = chart.configure(background="white").configure_legend(orient="top")
    return vl_convert.vegalite_to_svg(chart.to_dict())


def _colours(points: Sequence[Point]) -> alt.Scale:
    ways = _in_order([point.way for point in points])
    return alt.Scale(domain=ways, range=[COLOURS[way] for way in ways])


def _in_order(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))
