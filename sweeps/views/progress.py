"""The live view of a sweep: bars and a table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from antsbees.config import TrialConfig
from results.ranking import rank
from results.schema import Objective, TrialRecord, TrialStatus
from sweeps.finals.standing import FinalsStanding
from sweeps.running.lanes import Lane
from sweeps.spec.models import SweepSpec
from sweeps.views.sparkline import sparkline
from sweeps.views.tables import score_text, told_score


@dataclass
class Running:
    """A trial on its way."""

    number: int
    config: TrialConfig
    lane: Lane
    epoch: int = 0
    score: float | None = None


@dataclass(frozen=True)
class Tally:
    """How far a sweep is; what both views show.

    Args:
        left_s: Estimated seconds to the end; ``None`` before there is anything to go by.
    """

    done: int
    total: int
    elapsed_s: float
    left_s: float | None


def tally(
    known: int,
    done: int,
    total: int,
    elapsed_s: float,
    limit_s: float | None,
    start_s: float = 0.0,
) -> Tally:
    """Estimate the time left from the trials done since the start, capped by the time limit.

    Args:
        start_s: Of ``elapsed_s``, before the first trial was at work.
    """
    fresh = done - known
    left_s = (elapsed_s - start_s) / fresh * (total - done) if fresh else None
    if limit_s is not None:
        remaining_s = max(0.0, limit_s - elapsed_s)
        left_s = remaining_s if left_s is None else min(left_s, remaining_s)
    return Tally(done, total, elapsed_s, left_s)


class ProgressView:
    """Shows a sweep on a console; an ``Observer``.

    On a terminal it redraws itself a few times a second in constant time; elsewhere it prints a
    line for every trial that ends.
    """

    def __init__(
        self, spec: SweepSpec, console: Console, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._spec = spec
        self._console = console
        self._clock = clock
        self._start_s = clock()
        self._running: dict[int, Running] = {}
        self._best: TrialRecord | None = None
        self._known = self._done = 0
        self._began_s: float | None = None  # to train, by what the first trial to end took
        self._lanes: tuple[Lane, ...] = ()
        self._finals: FinalsStanding | None = None
        self._bests: list[float] = []  # after each complete trial, better ones higher
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=4)

    def __enter__(self) -> ProgressView:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def sweep_started(self, lanes: tuple[Lane, ...], known: list[TrialRecord]) -> None:
        """Show the lanes, and what is there already."""
        self._lanes, self._known, self._done = lanes, len(known), len(known)
        self._best, self._bests = None, []
        for record in known:
            self._consider(record)
        slots = ", ".join(f"{lane.slots} {lane.kind}" for lane in lanes)
        going_on = f", {len(known)} done before" if known else ""
        self._say(f"{self._spec.search.trials} trials{going_on}; worker slots: {slots}")

    def trial_started(self, number: int, config: TrialConfig, lane: Lane) -> None:
        """Add a trial to the table."""
        self._running[number] = Running(number, config, lane)

    def trial_reported(self, number: int, epoch: int, score: float) -> None:
        """Update a trial in the table."""
        running = self._running[number]
        running.epoch, running.score = epoch, score

    def trial_finished(self, record: TrialRecord) -> None:
        """Take a trial out of the table, and see if it is the best."""
        self._running.pop(record.trial_number, None)
        self._done += 1
        if self._began_s is None:
            self._began_s = max(self._start_s, self._clock() - record.training_s)
        self._consider(record)
        if not self._console.is_terminal:
            self._say(self._line(record))

    def finals_went_on(self, standing: FinalsStanding) -> None:
        """Show how far finals are; elsewhere than on a terminal, once a repeat."""
        self._finals = standing
        if not self._console.is_terminal and standing.answered == standing.taking_part:
            self._say(f"Finals, {standing.sentence}")

    def noted(self, sentence: str) -> None:
        """Show a sentence above the bars."""
        self._say(sentence)

    def _consider(self, record: TrialRecord) -> None:
        if record.status is TrialStatus.COMPLETE:
            self._best = rank([r for r in (self._best, record) if r is not None])[0]
            sign = 1 if self._spec.objective is Objective.VAL_ACCURACY else -1
            self._bests.append(sign * (self._best.score or 0.0))

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True, markup=False)

    def _tally(self) -> Tally:
        minutes = self._spec.search.minutes
        limit_s = None if minutes is None else minutes * 60
        total = self._spec.search.trials
        start_s = 0.0 if self._began_s is None else self._began_s - self._start_s
        elapsed_s = self._clock() - self._start_s
        return tally(self._known, self._done, total, elapsed_s, limit_s, start_s)

    def _line(self, record: TrialRecord) -> str:
        now = self._tally()
        detail = record.error_message if record.error_kind else told_score(record)
        return (
            f"[{now.done}/{now.total}, {_clock_time(now.elapsed_s)}] "
            f"trial {record.trial_number} {record.status} after {record.epochs_run} epochs: "
            f"{detail}; best {self._best_text()}"
        )

    def _best_text(self) -> str:
        if self._best is None:
            return "none yet"
        return f"{told_score(self._best)} (trial {self._best.trial_number})"

    def _render(self) -> RenderableType:
        if self._finals is not None:
            return self._render_finals(self._finals)
        now = self._tally()
        left = "" if now.left_s is None else f", about {_clock_time(now.left_s)} left"
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            self._spec.name,
            ProgressBar(total=now.total, completed=now.done, width=40),
            f"{now.done}/{now.total} trials, {_clock_time(now.elapsed_s)}{left}",
        )
        best = Text(f"best so far: {self._best_text()}  {self._sparkline()}")
        if not self._running:
            waiting = "starting the workers ..." if not self._lanes else ""
            return Group(bar, best, Text(waiting, style="dim"))
        return Group(bar, best, Text(self._load(), style="dim"), self._table())

    def _sparkline(self) -> str:
        """Draw how the best became better, where the terminal has the characters."""
        return "" if self._console.options.ascii_only else sparkline(self._bests)

    def _load(self) -> str:
        """Tell how many slots of each lane have a trial."""
        busy = Counter(running.lane.kind for running in self._running.values())
        lanes = (f"{busy[lane.kind]} of {lane.slots} {lane.kind}" for lane in self._lanes)
        return f"workers busy: {', '.join(lanes)}"

    def _render_finals(self, standing: FinalsStanding) -> RenderableType:
        bar = Table.grid(padding=(0, 1))
        done = ProgressBar(total=standing.taking_part, completed=standing.answered, width=40)
        elapsed = _clock_time(self._clock() - self._start_s)
        bar.add_row(f"{self._spec.name}, finals", done, elapsed)
        return Group(bar, Text(standing.sentence))

    def _table(self) -> Table:
        table = Table(box=None, header_style="dim")
        for column in ("trial", "lane", "epoch", str(self._spec.objective), "lr", "frozen"):
            table.add_column(column, justify="right")
        for running in list(self._running.values())[:20]:
            table.add_row(
                str(running.number),
                str(running.lane.kind),
                f"{running.epoch}/{running.config.epochs}",
                score_text(running.score),
                f"{running.config.lr:.2g}",
                str(running.config.frozen_stages),
            )
        return table


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
