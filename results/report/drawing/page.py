"""The page of a report: one HTML file that asks nothing of any network.

Texts that come from users are escaped by the template; data is JSON in which nothing can end its
element. Scripts run only if the page itself names their hashes.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import resources
from typing import Any

import vl_convert
from jinja2 import Environment, StrictUndefined

from results.report.drawing.charts import charts
from results.report.drawing.style import CONFIG, objective_title
from results.report.drawing.tables import tables
from results.report.report import Report

MOST_PICTURES = 24
"""Pictures in one section at the most."""
_MOST_CONFUSED = 12
_NOTHING = "-"


def page(
    report: Report,
    pictures: Mapping[int, str],
    made_at: datetime,
    reload_s: int | None = None,
) -> bytes:
    """Write the page in UTF-8.

    Args:
        pictures: Data URIs by the places of the images.
        reload_s: A browser that shows the page reads it again after so many seconds.
    """
    drawn = charts(report)
    data = {"charts": drawn, "tables": tables(report), "config": CONFIG}
    program = _resource("page.js")
    text: str = _template().render(
        report=report,
        pictures=pictures,
        chart_names=set(drawn),
        slices=[name for name in drawn if name.startswith("slice-")],
        sections=_sections(report, drawn),
        confused=_confused(report),
        most_pictures=MOST_PICTURES,
        objective_title=objective_title(report),
        made_at=made_at.strftime("%Y-%m-%d %H:%M"),
        reload_s=reload_s,
        style=_resource("style.css"),
        library=_library(),
        program=program,
        script_hashes=f"'{_hash(_library())}' '{_hash(program)}'",
        page_data=as_json_in_html(data),
    )
    # File names hold bytes that no encoding knows, as lone surrogates.
    return text.encode("utf-8", "backslashreplace")


def as_json_in_html(value: Any) -> str:
    """Return JSON that can stand in a script element, whatever texts it holds."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def places_shown(report: Report) -> list[int]:
    """Return the places of the images that the page has pictures of, each once."""
    half = MOST_PICTURES // 2
    shown = [d.place for d in report.disagreements[:MOST_PICTURES]]
    shown += [s.place for s in report.suspects[:MOST_PICTURES]]
    shown += [p for c in report.copies[:half] for p in (c.train_place, c.val_place)]
    return list(dict.fromkeys(shown))


def _sections(report: Report, drawn: Mapping[str, Any]) -> list[tuple[str, str]]:
    known = [
        ("verdict", "Verdict", True),
        ("depth", "Depth and backbone", bool(report.by_depth)),
        ("search", "Search", "history" in drawn),
        ("hyperparameters", "Hyperparameters", bool(report.dimensions)),
        ("answers", "Answers", report.answered_on is not None),
        ("photographs", "Photographs", report.answered_on is not None),
        ("workers", "Workers", bool(report.timeline.stretches)),
        ("again", "How to reproduce it", True),
    ]
    return [(name, title) for name, title, is_there in known if is_there]


def _confused(report: Report) -> list[Any]:
    """Return what is most often taken for what, where a matrix alone does not tell."""
    wrong = [cell for cell in report.confusion if cell.truth != cell.predicted and cell.count]
    if len(report.classes) <= 2:
        return []
    return sorted(wrong, key=lambda cell: (-cell.count, -cell.share))[:_MOST_CONFUSED]


def _template() -> Any:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= _FILTERS
    return environment.from_string(_resource("page.html.jinja"))


def _told(write: Callable[[Any], str]) -> Callable[[Any], str]:
    """Write a dash for nothing."""
    return lambda value: _NOTHING if value is None else write(value)


_FILTERS: dict[str, Callable[[Any], str]] = {
    "percent": _told(lambda value: f"{value:.1%}"),
    "whole_percent": _told(lambda value: f"{value:.0%}"),
    "points": _told(lambda value: f"{100 * value:.1f}"),
    "decimal": _told(lambda value: f"{value:.4f}"),
    "seconds": _told(lambda value: f"{value:.2g}" if value < 10 else f"{value:.0f}"),
    "minutes": _told(lambda value: f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"),
    "whole": _told(lambda value: f"{value:.0f}"),
    "plain": _told(lambda value: f"{value:.4g}" if isinstance(value, float) else str(value)),
}


def _resource(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _library() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script."""
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", "<\\/script")


def _hash(script: str) -> str:
    """Return how a content security policy names a script."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
