"""What is known of each network before a sweep has tried it, in the words of ``results``."""

from __future__ import annotations

from collections.abc import Mapping

from antsbees.networks.catalog import ARCHITECTURES
from results.winner import KnownBackbone

BACKBONES: Mapping[str, KnownBackbone] = {
    name: KnownBackbone(entry.num_stages, entry.accuracy) for name, entry in ARCHITECTURES.items()
}
