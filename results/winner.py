"""The winner of finals: which finalist it is, what it scores, and how it compares with others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.correction import Corrected, Verdict, compare, correct
from results.finals import FoldRecord, out_of_fold
from results.schema import PROBE, TUTORIAL, Objective, TrialRecord
from results.selection import cheapest_of_the_best

RIVALS = {TUTORIAL: "the tutorial's", PROBE: "the probe"}
"""The first tries that a winner is held against, and what sentences call them."""


@dataclass(frozen=True)
class FinalWinner:
    """The finalist with the best out-of-fold log-loss; within one standard error, the cheapest.

    Args:
        num_finalists: That answered for every image.
        accuracy: Out of fold, and corrected for the choice.
        loss: The same of the log-loss.
        verdicts: Against each of ``RIVALS`` that was a finalist, by the sweep's objective.
    """

    trial_number: int
    num_finalists: int
    num_images: int
    accuracy: Corrected
    loss: Corrected
    verdicts: tuple[Verdict, ...]


def final_winner(
    folds: Sequence[FoldRecord], trials: Sequence[TrialRecord], bootstraps: int = 1000
) -> FinalWinner | None:
    """Choose the winner; ``None`` if no finalist answered for every image.

    The cheapest has most stages frozen, then the smallest images, then the fewest epochs: what
    depends on how busy a machine was would choose another one each time.

    Args:
        trials: The rows of the sweep.
    """
    rows = {trial.trial_number: trial for trial in trials}
    known = _of_one_division([fold for fold in folds if fold.trial_number in rows])
    if not known:
        return None
    answered = out_of_fold(known)
    finalists = [rows[number] for number in answered.trial_numbers]
    if not finalists:
        return None
    evidence = answered.evidence
    rule = cheapest_of_the_best(Objective.VAL_LOSS, _prices(finalists))
    objective = Objective(finalists[0].objective)
    verdicts = [
        compare(evidence, objective, place, RIVALS[trial.first], rule, bootstraps)
        for place, trial in enumerate(finalists)
        if trial.first in RIVALS
    ]
    return FinalWinner(
        trial_number=finalists[int(np.argmax(rule(evidence)))].trial_number,
        num_finalists=len(finalists),
        num_images=len(answered.labels),
        accuracy=correct(evidence, Objective.VAL_ACCURACY, rule, bootstraps),
        loss=correct(evidence, Objective.VAL_LOSS, rule, bootstraps),
        verdicts=tuple(verdicts),
    )


def _of_one_division(folds: list[FoldRecord]) -> list[FoldRecord]:
    """Keep the folds of the division into so many folds that most rows are of."""
    counts = Counter(fold.num_folds for fold in folds)
    return [fold for fold in folds if fold.num_folds == counts.most_common(1)[0][0]]


def _prices(trials: Sequence[TrialRecord]) -> list[float]:
    """Number what trials cost to train and to use; equal ones cost the same."""
    costs = [(-(t.frozen_stages or 0), t.image_size or 0, t.epochs or 0) for t in trials]
    order = sorted(set(costs))
    return [float(order.index(cost)) for cost in costs]
