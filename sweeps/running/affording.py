"""What finals there is time for: who takes part, and whether a turn is still to be had."""

from __future__ import annotations

from collections.abc import Sequence

from antsbees.config import MOST_IMAGES_FUSED
from antsbees.hyperparameters import OptimizerKind
from results.choice import RIVALS
from results.finals import Finals, FoldRecord
from results.schema import TrialRecord
from sweeps.finals.finalists import PATIENCE, best_searched, finalists, is_ahead
from sweeps.finals.grouping import is_head
from sweeps.finals.racing import Race, Turn
from sweeps.finals.timing import repeat_s, worker_seconds
from sweeps.rows import as_kept
from sweeps.spec.models import Finals as Plan

FIRST_REPEAT = 0.6  # of the time, for the first repeat of all; estimates are rough


def chosen_finalists(
    plan: Plan, records: Sequence[TrialRecord], num_images: int
) -> list[TrialRecord]:
    """Return the finalists whose first repeat there is time for; fused heads take next to none."""
    time_s = FIRST_REPEAT * worker_seconds(records, plan.share)
    return finalists(records, plan.count, lambda trial: _cost_s(trial, plan, num_images), time_s)


def as_judged(
    plan: Plan,
    chosen: Sequence[TrialRecord],
    records: Sequence[TrialRecord],
    num_images: int,
    folds: Sequence[FoldRecord],
) -> list[TrialRecord]:
    """Return the finalists as they are trained on folds.

    The best of what was searched is likely to be kept where it is before every rival: it is trained
    as ``retrain`` keeps it, if there is time for that. The others are trained as their rows say,
    and what has been judged already goes on as it began.

    Args:
        folds: Those that are known.
    """
    began = {fold.trial_number: fold.soup_size for fold in folds}
    time_s = worker_seconds(records, plan.share)
    likely = best_searched(chosen)

    def is_judged_as_kept(trial: TrialRecord, kept: TrialRecord) -> bool:
        if trial.trial_number in began:
            return began[trial.trial_number] == kept.soup_size
        rivals = (rival for rival in chosen if rival.first in RIVALS)
        if trial is not likely or not all(is_ahead(trial, rival) for rival in rivals):
            return False
        times = (kept.soup_size or 1) / (trial.soup_size or 1)
        return times * _cost_s(trial, plan, num_images) <= time_s

    both = ((trial, as_kept(trial)) for trial in chosen)
    return [kept if is_judged_as_kept(trial, kept) else trial for trial, kept in both]


def _cost_s(trial: TrialRecord, plan: Plan, num_images: int) -> float:
    return 0.0 if is_fused(trial, num_images) else repeat_s(trial, num_images, plan.folds)


def is_fused(trial: TrialRecord, num_images: int) -> bool:
    """Tell whether a finalist is trained together with others: see ``CrossValidation.is_fused``."""
    is_sgd = trial.optimizer in (None, OptimizerKind.SGD)
    return is_head(trial) and is_sgd and num_images <= MOST_IMAGES_FUSED


def is_worth_it(chosen: Sequence[TrialRecord], race: Race, time_s: float, plan: Plan) -> bool:
    """Tell whether a turn is missing that there is time for.

    Finals whose time was up are over, though the seconds of turns that were cut are not known:
    only those that had not spent what the first repeat may take go on. The first turn of the best
    of what was searched is not cut, so that it is missing after a kill only.

    Args:
        time_s: Of all workers together, as the seconds of the folds that are known are.
    """
    numbers = [trial.trial_number for trial in chosen]
    for repeat in range(plan.repeats):
        if missing := race.missing(numbers, repeat):
            spent_s, likely = sum(row.seconds for row in race.folds), best_searched(chosen)
            is_cut = likely is not None and Turn(likely.trial_number, 0) in missing
            share = PATIENCE if is_cut else FIRST_REPEAT
            return not race.folds or spent_s < share * time_s
        numbers = race.going_on(numbers, repeat)
    return False


def race_of(
    table: Finals, sweep: str, plan: Plan, chosen: Sequence[TrialRecord], num_images: int
) -> Race:
    """Return what is known of a sweep's finals."""
    cheap = {trial.trial_number for trial in chosen if is_fused(trial, num_images)}
    race = Race(is_cheap=cheap.__contains__)
    if sweep in table.sweeps():
        race.folds += [row for row in table.read(sweep) if row.num_folds == plan.folds]
        race.failed |= {Turn(*turn) for turn in table.failures(sweep, plan.folds)}
    return race
