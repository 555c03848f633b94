"""Who did what when: the trials of every worker, its finals, and how long each lane idled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from results.finals import FoldRecord
from results.schema import TrialRecord

Worker = tuple[str, str, int]
"""Lane, node and process."""
FINALS = "finals"
"""What a stretch of finals has in place of a trial's status."""
PAUSE_S = 60.0
"""When nothing ran for longer, the sweep was not running: the time is left out."""


@dataclass(frozen=True)
class Stretch:
    """A trial in its worker, or a finalist on the folds of a repeat: seconds since the sweep began.

    Pauses are left out.
    """

    trial_number: int
    status: str
    lane: str
    worker: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class LaneUse:
    """What a lane's workers did in the search.

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


@dataclass(frozen=True)
class _Span:
    """A stretch before its worker has a name, in seconds since 1970."""

    trial_number: int
    status: str
    worker: Worker
    start_s: float
    end_s: float


def timeline(trials: Sequence[TrialRecord], folds: Sequence[FoldRecord] = ()) -> Timeline:
    """Lay trials out by worker and time, and finals, whose workers are others, after them.

    Args:
        folds: Of finals; those without times, of an older version, are left out.
    """
    known = sorted(
        (t for t in trials if t.started_at is not None and t.finished_at is not None),
        key=lambda t: (t.started_at, t.trial_number),
    )
    searched = [_Span(t.trial_number, str(t.status), _worker(t), _start(t), _end(t)) for t in known]
    spans = [*searched, *_of_finals(folds)]
    clock = _Clock((span.start_s, span.end_s) for span in spans)
    names = _worker_names(spans)
    stretches = tuple(
        Stretch(
            s.trial_number, s.status, s.worker[0], names[s.worker, s.status == FINALS],
            clock.since_start_s(s.start_s), clock.since_start_s(s.end_s),
        )
        for s in spans
    )  # fmt: skip
    of_search = stretches[: len(searched)]
    lanes = sorted({s.lane for s in of_search})
    uses = tuple(_use(lane, of_search, known) for lane in lanes)
    return Timeline(stretches, uses, clock.pauses_s)


def _of_finals(folds: Sequence[FoldRecord]) -> list[_Span]:
    """Return a span for each repeat of each finalist, on each of the workers that shared it."""
    turns: dict[tuple[int, int, tuple[str, str, int]], list[FoldRecord]] = defaultdict(list)
    for fold in folds:
        if fold.started_at is not None:
            worker = (fold.lane or "", fold.node or "", fold.worker_pid or 0)
            turns[fold.trial_number, fold.repeat, worker].append(fold)
    spans = []
    for (number, _, worker), own in turns.items():
        began_s = [fold.started_at.timestamp() for fold in own if fold.started_at is not None]
        ended_s = [start + fold.seconds for start, fold in zip(began_s, own, strict=True)]
        spans.append(_Span(number, FINALS, worker, min(began_s), max(ended_s)))
    return sorted(spans, key=lambda span: span.start_s)


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


def _worker(trial: TrialRecord) -> Worker:
    return (trial.lane or "", trial.node or "", trial.worker_pid or 0)


def _worker_names(spans: Sequence[_Span]) -> dict[tuple[Worker, bool], str]:
    """Name workers, of finals or not, by lane and the order they began; several nodes are named."""
    workers = list(dict.fromkeys((span.worker, span.status == FINALS) for span in spans))
    nodes = {node for (_, node, _), _ in workers}
    seen: dict[str, int] = defaultdict(int)
    names = {}
    for worker, is_finals in workers:
        lane, node, _ = worker
        place = lane if len(nodes) < 2 else f"{node} {lane}"
        place = f"{FINALS}, {place}" if is_finals else place
        seen[place] += 1
        names[worker, is_finals] = f"{place} {seen[place]}"
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
