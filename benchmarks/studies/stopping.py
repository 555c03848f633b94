"""What stopping trials early saves, and what it loses, on curves of trials that all ran to the end.

    antsbees sweep curves.yaml --data FOLDER     # early_stopping: none, sampler: random
    python -m benchmarks.studies.stopping --runs runs --sweep NAME

Trials are taken in their order, as if one ran after another; a rule that stops one sees what those
before it scored. A rung is an epoch, or a share of a trial's own epochs, and its trials are
compared with all others or with those of the same depth.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from results.leaderboard import Leaderboard
from results.schema import Objective, TrialRecord, TrialStatus
from sweeps.paths import RunPaths

REDUCTION_FACTOR = 3
BEST = 0.1  # of the trials: those that a rule should not stop


@dataclass(frozen=True)
class Rule:
    """When a trial is compared, and with which.

    Args:
        rungs: Of a number of epochs: rung -> the epoch at which a trial is at it.
        among: What the trials it is compared with have in common with it.
    """

    name: str
    rungs: Callable[[int], dict[Hashable, int]]
    among: Callable[[TrialRecord], Hashable] = lambda _: None


def _epochs(grace: int) -> Callable[[int], dict[Hashable, int]]:
    def rungs(epochs: int) -> dict[Hashable, int]:
        found: dict[Hashable, int] = {}
        at = grace
        while at < epochs:
            found[at] = at
            at *= REDUCTION_FACTOR
        return found

    return rungs


def _third(epochs: int) -> dict[Hashable, int]:
    at = max(1, round(epochs / 3))
    return {"a third": at} if at < epochs else {}


RULES = (
    Rule("none", lambda _: {}),
    Rule("ASHA from epoch 1", _epochs(1)),
    Rule("ASHA from epoch 3", _epochs(3)),
    Rule("ASHA from epoch 1, by depth", _epochs(1), lambda trial: trial.frozen_stages),
    Rule("ASHA from epoch 3, by depth", _epochs(3), lambda trial: trial.frozen_stages),
    Rule("a third of the own schedule", _third),
    Rule("a third of the own schedule, by depth", _third, lambda trial: trial.frozen_stages),
)


def epochs_run(rule: Rule, trials: list[TrialRecord]) -> Iterator[int]:
    """Yield for each trial the epochs that a rule lets it run."""
    seen: dict[Hashable, list[float]] = defaultdict(list)
    for trial in trials:
        curve = trial.curve or []
        ran = len(curve)
        for rung, at in rule.rungs(trial.epochs or ran).items():
            cost = _cost(trial, curve[at - 1])
            others = seen[rung, rule.among(trial)]
            good = not others or cost <= np.percentile(others, 100 / REDUCTION_FACTOR)
            others.append(cost)
            if not good:
                ran = at
                break
        yield ran


def table(trials: list[TrialRecord]) -> str:
    """Return what each rule comes to."""
    finals = np.array([_cost(trial, (trial.curve or [{}])[-1]) for trial in trials])
    good = finals <= np.quantile(finals, BEST)
    lines = ["| rule | seconds of training | trials stopped | of the best stopped | best kept |"]
    lines.append("|" + "---|" * 5)
    for rule in RULES:
        ran = list(epochs_run(rule, trials))
        stopped = np.array([r < len(t.curve or ()) for r, t in zip(ran, trials, strict=True)])
        seconds = sum(
            epoch["seconds"]
            for r, trial in zip(ran, trials, strict=True)
            for epoch in (trial.curve or [])[:r]
        )
        kept = finals[~stopped]
        lines.append(
            f"| {rule.name} | {seconds:.0f} | {stopped.mean():.0%} | {stopped[good].mean():.0%} | "
            f"{abs(kept.min()):.4f} |"
        )
    return "\n".join(lines)


def _cost(trial: TrialRecord, epoch: dict[str, float]) -> float:
    value = float(epoch[trial.objective])
    return -value if trial.objective == Objective.VAL_ACCURACY else value


def main() -> None:
    """Read a sweep, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.stopping")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--sweep", required=True)
    options = parser.parse_args()
    rows = Leaderboard(RunPaths(options.runs).leaderboard).read(options.sweep, heavy=True)
    print(table([row for row in rows if row.status is TrialStatus.COMPLETE]))


if __name__ == "__main__":
    main()
