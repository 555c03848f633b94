"""Compares the versions of libraries on the machines of a cluster with the driver's."""

from __future__ import annotations

from antsbees.machine.versions import library_versions
from sweeps.running.messages import Facts

COMPARED = ("ray", "optuna")  # beside those that compute


class Versions:
    """Tells once of each machine that has other versions, on which last bits depend.

    Args:
        own: The driver's.
    """

    def __init__(self, own: str | None = None) -> None:
        self._own = own or library_versions(*COMPARED)
        self._heard: set[str] = set()

    def differ(self, facts: Facts) -> str | None:
        """Return what is to be said of the machine that reported, the first time it does."""
        if facts.node in self._heard or facts.library_versions is None:
            return None
        self._heard.add(facts.node)
        here, there = (set(told.split(", ")) for told in (self._own, facts.library_versions))
        if here == there:
            return None
        return (
            f"{facts.node} has {', '.join(sorted(there - here))}, and this machine "
            f"{', '.join(sorted(here - there))}: the last bits of scores may differ"
        )
