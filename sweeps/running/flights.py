"""A trial on its way: what its worker reported so far, and the row it comes to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from antsbees.data.datasets import Dataset
from results.schema import LOST, TrialRecord, TrialStatus
from sweeps.rows import Ended, record_of
from sweeps.running.health import Failure
from sweeps.running.lanes import Lane
from sweeps.running.messages import Epoch, Facts, Proposal, Report
from sweeps.search.study import Asked
from sweeps.spec.models import SweepSpec

LOST_MESSAGE = "its worker process or node died, see driver.log"
START_S = 180.0  # for a worker to start, once it has room; Ray gives its process up after 60
NOT_STARTED_MESSAGE = f"a worker did not start in {START_S:.0f} s"


@dataclass
class InFlight:
    """A trial that was proposed and has not ended.

    Args:
        cut: It is being ended by the time limit or a signal, or its lane is gone.
        moves: It is being ended to begin again in a faster lane.
        waits_since_s: When it was proposed, by a clock that stands still while the machine sleeps.
        had_no_room_at_s: When, by that clock, it was last seen to wait for its lane's resources.
        restored: How many epochs of its curve an earlier try had completed.
        error: Kind and message, once it failed.
    """

    asked: Asked
    lane: Lane
    proposed_at_s: float
    waits_since_s: float
    cut: bool = False
    moves: bool = False
    had_no_room_at_s: float = 0.0
    curve: list[Epoch] = field(default_factory=list)
    restored: int = 0
    facts: Facts | None = None
    probabilities: list[list[float]] | None = None
    error: tuple[str, str] | None = None

    @property
    def number(self) -> int:
        """Its order in the study."""
        return self.asked.number

    @property
    def node(self) -> str | None:
        """The machine it runs on, once that is known."""
        if self.facts is None and self.lane.node is not None:
            return self.lane.node.name
        return self.facts.node if self.facts else None

    @property
    def proposal(self) -> Proposal:
        """What its worker is told."""
        lane, asked = self.lane, self.asked
        return Proposal(
            number=asked.number,
            trial=asked.config,
            is_first=asked.first is not None,
            lane=str(lane.kind),
            device=lane.device,
            threads=lane.threads,
            resources=lane.resources,
            slots=lane.slots,
            node_id=lane.node.id if lane.node else None,
        )

    def absorb(self, report: Report) -> tuple[Epoch, ...]:
        """Take a report in; return the epochs in it that are new."""
        fresh = tuple(e for e in report.epochs if e.epoch > len(self.curve))
        self.curve.extend(fresh)
        self.facts, self.restored = report.facts, report.restored
        if fresh:
            self.probabilities = report.probabilities
        if report.error_kind is not None:
            self.error = report.error_kind, report.error_message or ""
        return fresh

    def is_stuck(self, now_s: float) -> bool:
        """Tell whether it has room, and no worker begins it: one that hangs before it runs.

        Args:
            now_s: By the clock of ``waits_since_s``.
        """
        return now_s - max(self.waits_since_s, self.had_no_room_at_s) > START_S

    def failure(self) -> Failure:
        """Describe how it failed."""
        kind, message = self.error or (LOST, LOST_MESSAGE)
        return Failure(
            number=self.number,
            lane=self.lane.kind,
            node=self.node,
            place=self.lane.place,
            kind=kind,
            message=message,
            epochs=len(self.curve) - self.restored,
            lost=kind == LOST,
            proposed_at_s=self.proposed_at_s,
        )

    @property
    def status(self) -> TrialStatus:
        """How it ended, if it has."""
        if self.error is not None:
            return TrialStatus.FAILED
        if len(self.curve) == self.asked.config.epochs:
            return TrialStatus.COMPLETE
        return TrialStatus.UNFINISHED if self.cut or self.moves else TrialStatus.STOPPED

    def record(self, spec: SweepSpec, dataset: Dataset, now_s: float) -> TrialRecord:
        """Return its row."""
        ended = Ended(
            number=self.number,
            config=self.asked.config,
            status=self.status,
            lane=str(self.lane.kind),
            device=self.lane.device,
            threads=self.lane.threads,
            proposed_at_s=self.proposed_at_s,
            finished_at_s=now_s,
            first=self.asked.first,
            facts=asdict(self.facts) if self.facts else {},
            curve=[asdict(epoch) for epoch in self.curve],
            probabilities=self.probabilities,
            error=self.error,
        )
        return record_of(ended, spec, dataset)
