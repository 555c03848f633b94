"""Who did what when: the trials of every worker, and how long each lane idled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from results.schema import TrialRecord

PAUSE_S = 60.0
"""When nothing ran for longer, the sweep was not running: the time is left out."""


@dataclass(frozen=True)
class Stretch:
    """A trial in its worker, in seconds since the sweep began, pauses left out."""

    trial_number: int
    status: str
    lane: str
    worker: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class LaneUse:
    """What a lane's workers did.

    Args:
        busy_s: The sum over its workers.
        idle: The share of the time, from the lane's first trial to its last, that a worker of it
            had none.
        images_per_second: To learn from, while an epoch ran; the median over trials.
    """

    lane: str
    num_workers: int
    num_trials: int
    busy_s: float
    idle: float
    images_per_second: float | None


@dataclass(frozen=True)
class Timeline:
    """The workers of a sweep over its time."""

    stretches: tuple[Stretch, ...]
    lanes: tuple[LaneUse, ...]
    pauses_s: float


def timeline(trials: Sequence[TrialRecord]) -> Timeline:
    """Lay trials out by worker and time."""
    known = sorted(
        (t for t in trials if t.started_at is not None and t.finished_at is not None),
        key=lambda t: (t.started_at, t.trial_number),
    )
    spans = [(_start(t), _end(t)) for t in known]
    clock = _Clock(spans)
    names = _worker_names(known)
    stretches = tuple(
        Stretch(
            t.trial_number, str(t.status), t.lane or "", names[_worker(t)],
            clock.since_start_s(start), clock.since_start_s(end),
        )
        for t, (start, end) in zip(known, spans, strict=True)
    )  # fmt: skip
    lanes = sorted({s.lane for s in stretches})
    uses = tuple(_use(lane, stretches, known) for lane in lanes)
    return Timeline(stretches, uses, clock.pauses_s)


class _Clock:
    """Counts the seconds in which at least one trial ran, short breaks included."""

    def __init__(self, spans: Iterable[tuple[float, float]]) -> None:
        self._pauses: list[tuple[float, float]] = []  # end of each, and its length
        self._start_s = until = None
        for start, end in sorted(spans):
            if until is None:
                self._start_s = until = start
            if start - until > PAUSE_S:
                self._pauses.append((start, start - until))
            until = max(until, end)

    @property
    def pauses_s(self) -> float:
        """How long all pauses were."""
        return sum(length for _, length in self._pauses)

    def since_start_s(self, time_s: float) -> float:
        """Return a time in seconds since the first trial began."""
        left_out = sum(length for end, length in self._pauses if end <= time_s)
        return round(time_s - (self._start_s or 0.0) - left_out, 3)


def _start(trial: TrialRecord) -> float:
    return 0.0 if trial.started_at is None else trial.started_at.timestamp()


def _end(trial: TrialRecord) -> float:
    return 0.0 if trial.finished_at is None else trial.finished_at.timestamp()


def _worker(trial: TrialRecord) -> tuple[str, str, int]:
    return (trial.lane or "", trial.node or "", trial.worker_pid or 0)


def _worker_names(trials: Sequence[TrialRecord]) -> dict[tuple[str, str, int], str]:
    """Number the workers of each lane in the order they began; several nodes are named."""
    workers = list(dict.fromkeys(_worker(trial) for trial in trials))
    nodes = {node for _, node, _ in workers}
    seen: dict[tuple[str, str], int] = {}
    names = {}
    for worker in workers:
        lane, node, _ = worker
        place = lane if len(nodes) < 2 else f"{node} {lane}"
        seen[(lane, node)] = seen.get((lane, node), 0) + 1
        names[worker] = f"{place} {seen[(lane, node)]}"
    return names


def _use(lane: str, stretches: Sequence[Stretch], trials: Sequence[TrialRecord]) -> LaneUse:
    own = [s for s in stretches if s.lane == lane]
    workers = len({s.worker for s in own})
    busy_s = sum(s.end_s - s.start_s for s in own)
    span_s = max(s.end_s for s in own) - min(s.start_s for s in own)
    rates = sorted(
        epoch["images_per_second"]
        for trial in trials
        if (trial.lane or "") == lane
        for epoch in trial.curve or ()
        if epoch["images_per_second"]
    )
    return LaneUse(
        lane=lane,
        num_workers=workers,
        num_trials=len(own),
        busy_s=busy_s,
        idle=max(0.0, 1 - busy_s / (workers * span_s)) if span_s else 0.0,
        images_per_second=rates[len(rates) // 2] if rates else None,
    )
