"""What a sweep would do, in a few lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sweeps.running.planning import Plan


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield what a user wants to know before a sweep begins."""
    spec, found = plan.spec, plan.forecast
    done = f", {plan.num_known} of them done" if plan.num_known else ""
    yield f"Sweep {spec.name}: {spec.search.trials} trials{done}, on {' or '.join(spec.backbones)}"
    for lane in plan.lanes:
        cores = f"{lane.threads} core{'s' if lane.threads > 1 else ''}"
        gpu = f" and {lane.gpu:.3g} of a GPU" if lane.gpu else ""
        share = found.trials.get(lane.kind, 0)
        yield (
            f"  {lane.kind} lane: {lane.slots} workers with {cores}{gpu} each, about {share} trials"
        )
    if plan.warning:
        yield f"  {plan.warning}"
    counts = Counter(first.name or "one of your own" for first in spec.firsts)
    firsts = ", ".join(f"{name} ({n})" if n > 1 else name for name, n in counts.items())
    if firsts:
        yield f"  first: {firsts}; then the sampler {spec.search.sampler} chooses"
    ended = sum(found.trials.values())
    until = (
        f"the time limit, which about {ended} trials reach" if found.is_cut else "the last trial"
    )
    yield f"  search: about {_time(found.seconds)} until {until}"
    if plan.finals_s:
        yield f"  finals: at most about {_time(plan.finals_s)}"
    if plan.num_rows:
        yield f"Told by {plan.num_rows} trials on these images, in the leaderboard."
    else:
        yield (
            "Guessed from the size of the network: nothing was measured on these images yet. "
            "The first tenth of the trials makes it a measurement."
        )


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 6000 else f"{seconds / 3600:.1f} hours"
