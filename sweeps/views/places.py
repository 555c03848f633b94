"""The table of what each lane of each machine did."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from results.report.places import PlaceUse
from results.schema import TrialRecord


def places_table(title: str, uses: Sequence[PlaceUse]) -> Table:
    """Draw what ``results.report.places.place_uses`` returns."""
    table = Table(title=title, title_justify="left", title_style="", box=None, padding=(0, 1))
    for column in ("lane", "machine", "workers", "trials", "busy", "images / s"):
        table.add_column(column, justify="left" if column in ("lane", "machine") else "right")
    for each in uses:
        rate = each.use.images_per_second
        table.add_row(
            each.use.lane,
            each.node,
            str(each.use.num_workers),
            str(each.use.num_trials),
            f"{each.utilisation:.0%}",
            "" if rate is None else f"{rate:.0f}",
        )
    return table


def has_several(trials: Sequence[TrialRecord]) -> bool:
    """Tell whether trials ran in more than one lane, or on more than one machine."""
    return len({(trial.lane, trial.node) for trial in trials if trial.epochs_run}) > 1
