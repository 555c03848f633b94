"""Rules by which one configuration, or a mixture of several, is chosen on evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np

from results.evidence import Evidence, Floats
from results.schema import Objective

Select = Callable[[Evidence], Floats]
"""Returns the weight of every configuration, ``(configurations,)``."""

CONVINCING = 0.9
"""The probability from which on one that is better counts as better."""


NEGLIGIBLE = 0.005
"""A difference of log-loss that is of no use, however sure: the right class is given half a percent
more probability. Near relatives are told from each other by less."""


def always(index: int) -> Select:
    """Choose one, whatever the evidence."""
    return lambda evidence: one(index, len(evidence.losses))


def best(objective: Objective) -> Select:
    """Choose the best mean; of equal ones, as in the ranking, the one with the lowest loss."""

    def select(evidence: Evidence) -> Floats:
        costs, losses = evidence.costs(objective), evidence.means(Objective.VAL_LOSS)
        return one(int(np.lexsort((losses, costs))[0]), len(costs))

    return select


def cheapest_of_the_best(
    objective: Objective,
    prices: Sequence[float],
    known: Sequence[bool] | None = None,
    promises: Sequence[float] | None = None,
) -> Select:
    """Choose the cheapest within one standard error of the best mean, or negligibly behind it.

    The standard error is that of the difference to the best, image by image: all answered for the
    same images. Of those that cost the same, a known one is chosen, then the most promising, then
    the better. That is asked once more beside the one so chosen, of what costs the same or is
    better and cheaper: a near relative of the best is told from it by a hair, where a stranger that
    is far worse is not.

    Args:
        prices: What each configuration costs to train and to use.
        known: Which are known beforehand, and not found by the search: such a one gives way only to
            what is better than it with a probability of ``CONVINCING``.
        promises: What is to be expected of each before any image is seen; higher is better.
    """
    paid = np.asarray(prices, np.float64)
    is_known = np.zeros(len(paid), bool) if known is None else np.asarray(known, bool)
    promised = np.zeros(len(paid)) if promises is None else np.asarray(promises, np.float64)
    negligible = NEGLIGIBLE if objective is Objective.VAL_LOSS else 0.0
    reach = np.where(is_known, NormalDist().inv_cdf(CONVINCING), 1.0)  # in standard errors

    def select(evidence: Evidence) -> Floats:
        costs, values = evidence.costs(objective), evidence.values(objective)
        order = np.lexsort((costs, -promised, ~is_known, paid))

        def errors(place: int) -> Floats:
            return reach * standard_errors(values - values[place], evidence.counts)

        leader = int(np.argmin(costs))
        within = costs - costs[leader] <= np.maximum(errors(leader), negligible)
        chosen = int(order[within[order]][0])
        allowed = np.where(paid == paid[chosen], np.maximum(errors(chosen), negligible), 0.0)
        as_good = (paid <= paid[chosen]) & (costs - costs[chosen] <= allowed)
        return one(int(order[as_good[order]][0]), len(costs))

    return select


def as_found(weights: Floats, rule: Select, evidence: Evidence) -> Select:
    """Return what was found on the evidence itself, and what a rule chooses on draws of it."""
    return lambda drawn: weights if drawn is evidence else rule(drawn)


def among(places: Sequence[int], rule: Select) -> Select:
    """Choose among some configurations, known in this order to a rule that looks at scores."""
    kept = list(places)

    def select(evidence: Evidence) -> Floats:
        weights = np.zeros(len(evidence.losses))
        weights[kept] = rule(evidence.scores_of(kept))
        return weights

    return select


def standard_errors(values: Floats, counts: Floats) -> Floats:
    """Return the standard error of the mean of every row, its columns counted so often each."""
    total = counts.sum()
    means = values @ counts / total
    spread = np.maximum(values**2 @ counts / total - means**2, 0)
    errors: Floats = np.sqrt(spread / max(total - 1, 1))
    return errors


def one(index: int, length: int) -> Floats:
    """Give one configuration all the weight."""
    weights = np.zeros(length)
    weights[index] = 1
    return weights
