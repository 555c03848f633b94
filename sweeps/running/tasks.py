"""Tasks of Ray that train finalists: which run, and what they ask for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import ray

from sweeps.finals.grouping import Group
from sweeps.finals.racing import Turn
from sweeps.running.lanes import Lane, LaneKind

RETRIES = 3  # of a task whose worker or node was lost


@dataclass
class InFlight:
    """Tasks that run, each with its turns and its lane."""

    tasks: dict[Any, tuple[Group, Lane]] = field(default_factory=dict)

    @property
    def busy(self) -> Counter[LaneKind]:
        return Counter(lane.kind for _, lane in self.tasks.values())

    def cancel(self, spared: frozenset[Turn] = frozenset()) -> None:
        """End tasks with their workers, and forget them; those with a turn to be spared run on."""
        for ref, (group, _) in list(self.tasks.items()):
            if not spared.intersection(group):
                del self.tasks[ref]
                ray.cancel(ref, force=True)


def resources(lane: Lane) -> dict[str, Any]:
    """Return what a task of a lane asks Ray for."""
    asked = dict(lane.resources)
    known = {"num_cpus": asked.pop("CPU"), "num_gpus": asked.pop("GPU", 0.0)}
    return {**known, "resources": asked, "max_retries": RETRIES}
