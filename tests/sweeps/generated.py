"""Generated configurations: any that the table of hyperparameters allows."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from antsbees.config import TrialConfig
from antsbees.hyperparameters import HYPERPARAMETERS, Hyperparameter, Kind
from antsbees.networks.catalog import SIZES, architecture

LARGEST = 1000  # of what is generated, where the table has no bound or a larger one


def values(entry: Hyperparameter) -> st.SearchStrategy[Any]:
    """Any value a hyperparameter may have."""
    bounds = entry.bounds
    match entry.kind:
        case Kind.CATEGORY:
            return st.sampled_from(entry.choices)
        case Kind.NETWORK:
            at_a_size = st.builds(
                "{}@{}".format, st.sampled_from(entry.choices), st.sampled_from(SIZES)
            )
            return st.sampled_from(entry.choices) | at_a_size
        case Kind.FLAG:
            return st.booleans()
        case Kind.COUNT:
            largest = LARGEST if bounds.at_most is None else min(int(bounds.at_most), LARGEST)
            return st.integers(int(bounds.at_least or 0), largest)
    low = bounds.at_least if bounds.above is None else bounds.above
    high = bounds.at_most if bounds.below is None else bounds.below
    return st.floats(
        low,
        LARGEST if high is None else high,
        exclude_min=bounds.above is not None,
        exclude_max=bounds.below is not None,
        allow_subnormal=False,
    )


@st.composite
def configurations(draw: st.DrawFn) -> TrialConfig:
    """Any configuration, every setting of what was chosen given."""
    chosen: dict[str, Any] = {"seed": draw(st.integers(0, 2**31 - 1))}
    owners = {entry.belongs_to.choice for entry in HYPERPARAMETERS.values() if entry.belongs_to}
    for name in sorted(HYPERPARAMETERS, key=lambda name: name not in owners):
        entry = HYPERPARAMETERS[name]
        if entry.belongs(chosen):
            chosen[name] = draw(values(entry))
    stages = architecture(chosen["backbone"]).num_stages
    chosen["frozen_stages"] = min(chosen["frozen_stages"], stages)
    chosen["warmup_epochs"] = min(chosen["warmup_epochs"], chosen["epochs"])
    return TrialConfig.from_dict(chosen)
