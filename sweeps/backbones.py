"""What is known of each network before a sweep has tried it, in the words of ``results``."""

from __future__ import annotations

from collections.abc import Iterable

from antsbees.errors import ConfigError
from antsbees.networks.catalog import architecture
from results.choice import KnownBackbone
from results.schema import TrialRecord


def known_backbones(trials: Iterable[TrialRecord]) -> dict[str, KnownBackbone]:
    """Return what is known of the networks of trials; of a newer version's, nothing is."""
    known = {}
    for name in {trial.backbone for trial in trials if trial.backbone is not None}:
        try:
            entry = architecture(name)
        except ConfigError:
            continue
        known[name] = KnownBackbone(entry.num_stages, entry.accuracy)
    return known
