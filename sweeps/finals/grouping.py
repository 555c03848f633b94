"""Which turns of a repeat a worker takes together, and in which order they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from antsbees.networks.catalog import architecture
from results.schema import TrialRecord
from sweeps.finals.racing import Turn

Group = tuple[Turn, ...]


def together(
    turns: Sequence[Turn],
    trials: Mapping[int, TrialRecord],
    is_fused: Callable[[TrialRecord], bool],
    one_by_one: Callable[[Turn], Sequence[Turn]],
) -> list[Group]:
    """Put the heads of a backbone into one group, for they are trained as one, and these in front.

    So every head has its answer within seconds. What costs more comes in the order given, each fold
    a group of its own, so that several workers come to an answer together.

    Args:
        is_fused: Tells whether a trial is one of those heads.
        one_by_one: Divides a turn into those of its folds.
    """
    heads: dict[str, list[Turn]] = {}
    others: list[Group] = []
    for turn in turns:
        trial = trials[turn.trial_number]
        if is_fused(trial):
            heads.setdefault(str(trial.backbone), []).append(turn)
        else:
            others.extend((part,) for part in one_by_one(turn))
    return [*map(tuple, heads.values()), *others]


def is_head(trial: TrialRecord) -> bool:
    """Tell whether all stages of a trial's backbone are frozen."""
    return trial.frozen_stages == architecture(str(trial.backbone)).num_stages


def stages_of(trials: Mapping[int, TrialRecord], backbone: str) -> tuple[int, ...]:
    """Return how many stages are frozen in any trial on a backbone, ascending; at last all.

    All stages are run for the probe that heads start as.
    """
    own = {t.frozen_stages for t in trials.values() if t.backbone == backbone}
    return tuple(sorted({k for k in own if k is not None} | {architecture(backbone).num_stages}))
