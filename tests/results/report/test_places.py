"""What each lane of each machine did."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from results.report.places import place_uses
from results.schema import TrialRecord
from tests.results.sample_rows import row

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


def ran(number: int, lane: str, node: str, begins_s: float, ends_s: float) -> TrialRecord:
    return replace(
        row(number), lane=lane, node=node, worker_pid=1,
        started_at=BEGAN + timedelta(seconds=begins_s),
        finished_at=BEGAN + timedelta(seconds=ends_s),
        curve=[{"images_per_second": 50.0 * number}],
    )  # fmt: skip


def test_trials_and_utilisation_are_counted_by_lane_and_machine() -> None:
    trials = [
        ran(1, "cpu", "n1", 0, 10), ran(2, "cpu", "n1", 10, 20),
        ran(3, "cpu", "n2", 0, 5), ran(4, "cpu", "n2", 15, 20),
        ran(5, "gpu", "n2", 0, 20),
    ]  # fmt: skip
    found = [use.to_plain() for use in place_uses(trials)]
    assert [(u["lane"], u["node"], u["trials"], u["utilisation"]) for u in found] == [
        ("cpu", "n1", 2, 1.0), ("cpu", "n2", 2, 0.5), ("gpu", "n2", 1, 1.0)
    ]  # fmt: skip
    assert [u["images_per_second"] for u in found] == [100.0, 200.0, 250.0]
    assert found[0]["busy_s"] == 20.0
