"""Writes a report: below ``runs/reports/`` as a page, or its numbers as JSON."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from antsbees.data.datasets import Dataset
from antsbees.storage import publish_file
from results.report.report import Report, make_report
from sweeps.paths import RunPaths
from sweeps.reporting.gathering import gather
from sweeps.reporting.pictures import picture


def report_of(paths: RunPaths, sweep: str, dataset: Dataset | None, missing: str = "") -> Report:
    """Compute the numbers of a sweep's report.

    Raises:
        ResultsError: There is no such sweep, or its rows cannot be read.
    """
    return make_report(gather(paths, sweep, dataset, missing))


def write_page(
    report: Report, paths: RunPaths, dataset: Dataset | None, reload_s: int | None = None
) -> Path:
    """Write the page of a report, and return its file.

    Args:
        dataset: The images to show small pictures of; ``None`` for none.
        reload_s: Have a browser read it anew after so many seconds.

    Raises:
        OSError: It cannot be written.
    """
    from results.report.drawing.page import page, places_shown  # loads altair

    pictures = {}
    if dataset is not None:
        files = dataset.pooled.paths
        made = {place: picture(files[place]) for place in places_shown(report)}
        pictures = {place: uri for place, uri in made.items() if uri is not None}
    content = page(report, pictures, datetime.now().astimezone(), reload_s)
    file = paths.report(report.sweep)
    file.parent.mkdir(parents=True, exist_ok=True)
    with publish_file(file) as partial:
        partial.write_bytes(content)
    return file
