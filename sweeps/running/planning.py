"""What a sweep would do: on which lanes, with which trials, for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from antsbees.data.datasets import Dataset
from results.schema import TrialRecord
from sweeps.finals.timing import LEAST_S
from sweeps.running.forecast import Forecast, forecast, likely_works, share_of
from sweeps.running.lanes import Lane, plan_lanes, unused
from sweeps.running.pace import Pace, Work, alike
from sweeps.running.starts import start_of
from sweeps.spec.models import Finals, SweepSpec


@dataclass(frozen=True)
class Plan:
    """What a sweep would do.

    Args:
        num_known: Trials that are done.
        num_rows: Rows of trials on the same images by which the time was told; 0: it is guessed.
        forecast: Of what is left of the search.
        finals_s: The most that finals take.
        warning: What a user may not have meant.
    """

    spec: SweepSpec
    lanes: tuple[Lane, ...]
    num_known: int
    num_rows: int
    forecast: Forecast
    finals_s: float
    warning: str | None


def plan(
    spec: SweepSpec,
    dataset: Dataset,
    nodes: Sequence[Mapping[str, float]],
    rows: Sequence[TrialRecord],
) -> Plan:
    """Plan what is left of a sweep.

    Args:
        nodes: What the machines have.
        rows: The leaderboard's.

    Raises:
        UsageError: The lanes do not fit the machines.
    """
    lanes = plan_lanes(spec.lanes, nodes)
    taught = alike(rows, spec, dataset)
    pace = Pace(len(dataset.train))
    pace.learn_rows(taught, with_activations=True)
    if not taught:
        pace.learn_ended(
            lanes[0].kind, Work(spec.backbones[0], 0, 100), round(100 * share_of(spec))
        )
    known = [row for row in rows if row.sweep == spec.name and not row.is_open]
    works = likely_works(spec, spec.search.trials)[len(known) :]
    limit_s = None if spec.search.minutes is None else 60 * spec.search.minutes
    start = start_of(taught)
    if limit_s is not None:
        limit_s = max(0.0, limit_s - start.worker_s)
    found = forecast(pace, lanes, works, limit_s)
    found = replace(found, seconds=found.seconds + start.before_s + start.worker_s)
    finals_s = 0.0
    if isinstance(spec.finals, Finals):
        finals_s = max(spec.finals.share * found.seconds, LEAST_S)
    warning = unused(spec.lanes, nodes)
    return Plan(spec, lanes, len(known), len(taught), found, finals_s, warning)
