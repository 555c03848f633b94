"""What each lane of each machine did in a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from results.report.timeline import LaneUse, timeline
from results.schema import TrialRecord


@dataclass(frozen=True)
class PlaceUse:
    """What the workers of a lane did on a machine."""

    node: str
    use: LaneUse

    @property
    def utilisation(self) -> float:
        """The share of their time in which they had a trial."""
        return 1 - self.use.idle

    def to_plain(self) -> dict[str, object]:
        """Return it as plain values, a row of a table."""
        return {
            "lane": self.use.lane,
            "node": self.node,
            "workers": self.use.num_workers,
            "trials": self.use.num_trials,
            "busy_s": round(self.use.busy_s, 1),
            "utilisation": round(self.utilisation, 4),
            "images_per_second": self.use.images_per_second,
        }


def place_uses(trials: Sequence[TrialRecord]) -> list[PlaceUse]:
    """Sum up what ran where, by lane and then by machine.

    Args:
        trials: Of one sweep; with their curves, for images a second.
    """
    places = sorted({(trial.lane or "", trial.node or "") for trial in trials})
    found = []
    for lane, node in places:
        here = [t for t in trials if (t.lane or "", t.node or "") == (lane, node)]
        found += [PlaceUse(node, use) for use in timeline(here).lanes]
    return found
