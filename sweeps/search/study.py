"""The study of a sweep: what is tried next, and what became of what was tried."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.trial import FrozenTrial, TrialState

from antsbees.config import TrialConfig
from results.schema import TrialRecord, TrialStatus
from sweeps.search.firsts import is_dropped, keep_in_step
from sweeps.search.history import EPOCHS_TOLD
from sweeps.search.journal import Journal
from sweeps.search.narrowing import NarrowingSampler
from sweeps.search.samplers import make_sampler
from sweeps.search.space import BACKBONE, FIRST, SearchSpace
from sweeps.spec.models import Sampler, SweepSpec

PASSED_OVER = "passed_over"  # a trial's attribute: another one was proposed in its place


@dataclass(frozen=True)
class Asked:
    """A trial that the study wants to be run.

    Args:
        number: Its order in the study.
        first: The label of a first try; ``None`` for what the search chose.
        again: It was proposed before, and is not known to have ended.
    """

    number: int
    config: TrialConfig
    first: str | None
    again: bool = field(default=False, compare=False)


class SearchStudy:
    """Proposes trials, hears how they went, and keeps both on disk.

    A trial that was proposed and neither told nor given back is *in flight*. Whoever opens the
    study next finds it unfinished, and it is proposed again under its own number.
    """

    def __init__(
        self, study: optuna.Study, storage: BaseStorage, spec: SweepSpec, space: SearchSpace
    ) -> None:
        self._study = study
        self._storage = storage
        self._study_id = storage.get_study_id_from_name(study.study_name)
        self._space = space
        self._spec = spec
        known = self._trials()
        self._grid = _untried(space, known) if spec.search.sampler is Sampler.GRID else None
        self._unfinished = deque(t.number for t in known if t.state is TrialState.RUNNING)
        ended = (t for t in known if t.state.is_finished() and not is_dropped(t))
        self._ended = {t.number for t in ended if PASSED_OVER not in t.user_attrs}
        self._in_flight: set[int] = set()

    @classmethod
    def open(cls, spec: SweepSpec, journal: Path) -> Self:
        """Open or create the study of a sweep; its first tries are kept in step with the spec."""
        optuna.logging.disable_default_handler()
        journal.parent.mkdir(parents=True, exist_ok=True)
        storage = JournalStorage(Journal(journal))
        study = optuna.create_study(
            storage=storage,
            study_name=spec.name,
            direction=spec.objective.direction,
            load_if_exists=True,
        )
        space = SearchSpace.of(spec)
        num_known = len(study.get_trials(deepcopy=False))
        study.sampler = make_sampler(spec, space, num_known)
        if BACKBONE in space.searched():
            study.sampler = NarrowingSampler(study.sampler)
        keep_in_step(study, storage, spec, space)
        return cls(study, storage, spec, space)

    @property
    def num_proposed(self) -> int:
        """How many trials count among the spec's ``trials``: those in flight and those judged."""
        return len(self._in_flight) + len(self._ended)

    def numbers(self) -> frozenset[int]:
        """Return the numbers of all trials the study knows."""
        return frozenset(trial.number for trial in self._trials())

    def open_numbers(self) -> frozenset[int]:
        """Return the numbers of trials that were proposed and have not ended."""
        return frozenset(trial.number for trial in self._trials(TrialState.RUNNING))

    def has_more(self) -> bool:
        """Tell whether ``next`` would propose a trial."""
        if self._unfinished:
            return True
        if self.num_proposed >= self._spec.search.trials:
            return False
        return self._grid is None or bool(self._grid) or self._any_waiting()

    def next(self) -> Asked | None:
        """Propose a trial; ``None`` when the search has no more.

        Those left unfinished come first, then first tries, then what the grid or sampler chooses.
        """
        if not self.has_more():
            return None
        again = bool(self._unfinished)
        if again:
            number = self._unfinished.popleft()
            trial = optuna.Trial(self._study, self._trial_id(number))
        else:
            if self._grid and not self._any_waiting():
                self._study.enqueue_trial(self._grid[0])
            trial = self._study.ask()
        config = self._space.suggest(trial)
        if self._grid and trial.params in self._grid:
            self._grid.remove(trial.params)
        self._in_flight.add(trial.number)
        return Asked(trial.number, config, trial.user_attrs.get(FIRST), again)

    def pass_over(self, number: int) -> bool:
        """Take back a trial for good, as if it had not been proposed; tell whether that is so.

        The combinations of a grid are what was asked for: none is passed over.
        """
        if self._grid is not None:
            return False
        self._in_flight.discard(number)
        self._storage.set_trial_user_attr(self._trial_id(number), PASSED_OVER, True)
        self._study.tell(number, state=TrialState.FAIL)
        return True

    def narrow(self, backbones: Sequence[str]) -> bool:
        """Propose only these backbones from now on, and the first instead of another one.

        Returns:
            Whether that is so: a grid is not narrowed, its combinations are what was asked for.
        """
        sampler = self._study.sampler
        if self._grid is not None or not isinstance(sampler, NarrowingSampler):
            return False
        sampler.narrow(backbones)
        return True

    def report(self, number: int, epoch: int, value: float) -> None:
        """Keep the objective of an epoch; a restarted trial's replaces that of its earlier start.

        Args:
            epoch: From 1.
        """
        self._storage.set_trial_intermediate_value(self._trial_id(number), epoch, value)

    def tell(self, record: TrialRecord) -> None:
        """Take in how a trial ended, from its row; does nothing if it is known.

        Stopped trials keep their last value, so that the sampler knows it for what it is; failed
        ones teach it nothing. One that is still open (cut, or lost with its worker) does not count,
        and is left for the next who opens the study.
        """
        number = record.trial_number
        if number in self._ended:
            return
        if record.is_open:
            self._in_flight.discard(number)
            return
        match record.status:
            case TrialStatus.COMPLETE:
                self._study.tell(number, record.score)
            case TrialStatus.STOPPED:
                self._end_stopped(record)
            case TrialStatus.FAILED:
                self._study.tell(number, state=TrialState.FAIL)
        self._ended.add(number)
        self._in_flight.discard(number)
        if number in self._unfinished:
            self._unfinished.remove(number)

    def _end_stopped(self, record: TrialRecord) -> None:
        """End a trial as its row does; an earlier start of it may have come further.

        ``optuna.Study.tell`` would take the last epoch ever reported.
        """
        trial_id = self._trial_id(record.trial_number)
        trial = self._storage.get_trial(trial_id)
        if (trial.last_step or 0) > record.epochs_run:
            self._storage.set_trial_user_attr(trial_id, EPOCHS_TOLD, record.epochs_run)
        values = None if record.score is None else [record.score]
        self._study.sampler.after_trial(self._study, trial, TrialState.PRUNED, values)
        self._storage.set_trial_state_values(trial_id, TrialState.PRUNED, values)

    def give_back(self, number: int) -> None:
        """Take back a trial that no node could run, or that was cut: it is proposed again."""
        if number in self._in_flight:
            self._in_flight.remove(number)
            self._unfinished.append(number)

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states or None)

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)

    def _any_waiting(self) -> bool:
        return bool(self._trials(TrialState.WAITING))


def _untried(space: SearchSpace, known: list[FrozenTrial]) -> list[dict[str, Any]]:
    """Return the combinations of the grid that no trial of the study has."""
    tried = [trial.params for trial in known]
    return [combination for combination in space.grid() if combination not in tried]
