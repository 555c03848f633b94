"""Writes a report: the page below ``runs/reports/``, once or for as long as a sweep runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from antsbees.data.datasets import Dataset
from antsbees.storage import publish_file
from results.report.report import Report, make_report
from sweeps.liveness import is_running, written_at_s
from sweeps.paths import RunPaths
from sweeps.reporting.gathering import Opened, gather
from sweeps.reporting.pictures import picture

EVERY_S = 10.0
"""How often a page that follows a sweep is written again, if there is anything new."""


def report_of(paths: RunPaths, sweep: str, opened: Opened) -> Report:
    """Compute the numbers of a sweep's report.

    Raises:
        ResultsError: There is no such sweep, or its rows cannot be read.
    """
    return make_report(gather(paths, sweep, opened))


def write_report(
    paths: RunPaths,
    sweep: str,
    opened: Opened,
    with_pictures: bool = True,
    reload_s: int | None = None,
) -> Path:
    """Write the page of a sweep's report, and return its file.

    Args:
        with_pictures: Show small pictures of images where they are at hand.
        reload_s: Have a browser read it again after so many seconds.

    Raises:
        ResultsError: As ``report_of``.
        OSError: It cannot be written.
    """
    from results.report.drawing.page import page, places_shown  # loads altair

    report = report_of(paths, sweep, opened)
    pictures = {}
    if opened.dataset is not None and with_pictures:
        files = opened.dataset.pooled.paths
        made = {place: picture(files[place]) for place in places_shown(report)}
        pictures = {place: uri for place, uri in made.items() if uri is not None}
    content = page(report, pictures, datetime.now().astimezone(), reload_s)
    file = paths.report(sweep)
    file.parent.mkdir(parents=True, exist_ok=True)
    with publish_file(file) as partial:
        partial.write_bytes(content)
    return file


def closing_line(paths: RunPaths, sweep: str, dataset: Dataset) -> str:
    """Write the report of a sweep that has ended; return a line that names it, or says why not."""
    try:
        return f"Report: {write_report(paths, sweep, Opened(dataset))}"
    except Exception as error:  # whatever it is: the sweep is done, and its rows are there
        first = next(iter(str(error).splitlines()), "")
        return f"No report could be written: {type(error).__name__}: {first}"


def follow(
    paths: RunPaths,
    sweep: str,
    opened: Opened,
    with_pictures: bool = True,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Path]:
    """Write the page whenever there are new rows, for as long as the sweep runs, and at its end."""
    seen = None
    while is_running(paths, sweep):
        now = written_at_s(paths, sweep)
        if now != seen:
            yield write_report(paths, sweep, opened, with_pictures, reload_s=int(EVERY_S))
            seen = now
        wait(EVERY_S)
    yield write_report(paths, sweep, opened, with_pictures)
