"""The lanes that finals use: without machines that cannot train, or on which nothing begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from results.schema import TrialRecord
from sweeps.running.lanes import Lane, LaneKind, Place, lanes_there
from sweeps.running.opening import LanesNow, OpenLanes
from sweeps.running.tasks import NOT_BEGUN_S, first_line, is_of_machine
from sweeps.spec.models import SweepSpec


def closed_lanes(
    chosen: Sequence[TrialRecord], spec: SweepSpec, nodes: Sequence[Mapping[str, float]]
) -> list[LaneKind]:
    """Return the lanes that no finalist was trained in, which may have closed during the search.

    Where no other lane is there, as when a sweep goes on on other machines, none is closed.
    """
    used = {trial.lane for trial in chosen}
    unused = [kind for kind in LaneKind if str(kind) not in used]
    return unused if lanes_there(spec.lanes, nodes, unused) else []


class Usable:
    """The lanes that finals use.

    Args:
        closed: Those that they do not.
        note: Tells the user.
    """

    def __init__(
        self, lanes_now: LanesNow, closed: Iterable[Place], note: Callable[[str], object]
    ) -> None:
        self._open = OpenLanes(lanes_now)
        self._note = note
        for place in closed:
            self._open.close(place)

    def lanes(self, now_s: float) -> tuple[Lane, ...]:
        """Return them; those on which nothing began only where there is nothing else."""
        return self._open.now(now_s)

    def leaves_out(self, lane: Lane, error: Exception) -> bool:
        """Give a machine that cannot train no more turns, if there is another one."""
        if lane.node is None or not is_of_machine(error):
            return False
        here: set[Place] = {(kind, lane.node.id) for kind in LaneKind}
        if not self._open.besides(*here):
            return False
        if not here <= self._open.closed:
            for place in here:
                self._open.close(place)
            self._note(f"Finals: machine {lane.node.name} gets no finalists: {first_line(error)}")
        return True

    def goes_elsewhere(self, lane: Lane, now_s: float) -> bool:
        """Tell whether what waits in a lane and has not begun is to go elsewhere, if it can.

        The lane gets nothing for a while: others may have its room, or its workers do not start.
        """
        is_new = self._open.hold(lane, now_s) is not None
        others = [each for each in self.lanes(now_s) if not self._open.is_held(each.place)]
        if is_new and lane.node is not None:
            does = "goes elsewhere" if others else "waits on"
            self._note(
                f"Finals: nothing began on machine {lane.node.name} in {NOT_BEGUN_S:.0f} s; "
                f"what waits there {does}"
            )
        return bool(others)
