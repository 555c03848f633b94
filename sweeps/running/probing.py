"""Makes the search follow the probes: it goes on with the backbones whose probe is good."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import itemgetter

from results.contenders import Probabilities, contenders
from results.schema import PROBE, TrialRecord, TrialStatus
from sweeps.search.study import SearchStudy


class Probing:
    """Hears how the probes of several backbones did, and narrows the study's choice.

    While some are still being fitted, the search keeps to the good ones of those it has heard of.
    A backbone of which another trial is better than every probe joins them.

    Args:
        labels: Of the validation images.
        backbones: Of the sweep.
        note: Tells the user a sentence.
    """

    def __init__(
        self,
        study: SearchStudy,
        labels: tuple[int, ...],
        backbones: tuple[str, ...],
        note: Callable[[str], None],
    ) -> None:
        self._study = study
        self._labels = labels
        self._backbones = backbones
        self._note = note
        self._answers: dict[str, Probabilities] = {}
        self._losses: dict[str, float] = {}
        self._others: dict[str, float] = {}  # the least of any other trial
        self._told_of: set[str] = set()

    def hear(self, record: TrialRecord) -> None:
        """Take in a row of any trial."""
        if len(self._backbones) < 2 or record.backbone is None:
            return
        if record.status is not TrialStatus.COMPLETE or record.val_loss is None:
            return
        if record.first != PROBE:
            if record.val_loss >= self._others.get(record.backbone, math.inf):
                return
            self._others[record.backbone] = record.val_loss
        elif record.probabilities is not None:
            self._answers[record.backbone] = record.probabilities
            self._losses[record.backbone] = record.val_loss
        if not self._answers:
            return
        good = contenders(self._answers, self._labels)
        least = min(self._losses.values())
        good += [name for name, loss in self._others.items() if loss < least and name not in good]
        is_narrowed = self._study.narrow(good)
        if not is_narrowed or len(self._answers) < len(self._backbones):
            return
        if record.first == PROBE:
            self._note(self._told(good))
        elif not self._told_of.issuperset(good):
            self._note(
                f"Trial {record.trial_number} is better than every probe: the search goes on with "
                f"{record.backbone} too"
            )
        self._told_of.update(good)

    def _told(self, good: list[str]) -> str:
        by_loss = sorted(self._losses.items(), key=itemgetter(1))
        probes = ", ".join(f"{name} {loss:.3f}" for name, loss in by_loss)
        return f"Log-loss of the probes: {probes}; the search goes on with {' and '.join(good)}"
