"""Prefers, among configurations that promise about equally much, the cheaper one."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from sweeps.search.delegation import DelegatingSampler

EPOCH_S = "epoch_s"  # a trial's attribute: seconds an epoch took
NUM_PROPOSALS = 4
_STAGES = "frozen_stages"


class CostAwareSampler(DelegatingSampler):
    """Lets another sampler propose several times, and takes the proposal with the cheapest epochs.

    Every proposal of TPE is the best of two dozen candidates by expected improvement, drawn anew;
    so all of them promise about equally much, and the choice between them costs little promise.
    The idea of weighing improvement against seconds is Snoek, Larochelle and Adams' "expected
    improvement per second" (https://arxiv.org/abs/1206.2944, section 3.2). An epoch's seconds are
    the median of those seen with as many frozen stages, interpolated between the numbers seen.
    """

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the cheapest of several proposals; the first, while costs are unknown."""
        costs = epoch_costs(study.get_trials(deepcopy=False))
        first = super().sample_relative(study, trial, search_space)
        if not costs or _STAGES not in first:
            return first
        proposals = [first]
        for _ in range(NUM_PROPOSALS - 1):
            proposals.append(super().sample_relative(study, trial, search_space))
        return cheapest(proposals, costs)


def epoch_costs(trials: Sequence[FrozenTrial]) -> dict[int, float]:
    """Return the median seconds of an epoch by number of frozen stages, over trials that ended."""
    seen: dict[int, list[float]] = {}
    for trial in trials:
        if EPOCH_S in trial.user_attrs and _STAGES in trial.params:
            seen.setdefault(int(trial.params[_STAGES]), []).append(trial.user_attrs[EPOCH_S])
    return {stages: statistics.median(seconds) for stages, seconds in seen.items()}


def cheapest(proposals: Sequence[dict[str, Any]], costs: Mapping[int, float]) -> dict[str, Any]:
    """Return the proposal whose epochs are expected to take the fewest seconds; first of equals."""
    known = sorted(costs)
    expected = [
        float(np.interp(proposal[_STAGES], known, [costs[stages] for stages in known]))
        for proposal in proposals
    ]
    return proposals[expected.index(min(expected))]
