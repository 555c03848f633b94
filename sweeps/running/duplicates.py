"""Has a worker find near-duplicates before finals, in the first lane that answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import RayError

from antsbees.errors import AntsbeesError
from sweeps.running.folding import groups_of
from sweeps.running.lanes import Lane, Place
from sweeps.running.tasks import send
from sweeps.running.usable import Usable
from sweeps.running.watch import LOOK_EVERY_S, SILENCE_S

NO_SLOT = "no finals: no machine has a worker slot; run the same command again when one has"
SILENT = (
    f"no finals: no worker told within {SILENCE_S:.0f} s which images are nearly the same; run the "
    "same command again when the machines have less to do"
)


def find_duplicates(
    usable: Usable, job: Any, note: Callable[[str], object], must_stop: Callable[[], bool]
) -> list[int] | None:
    """Return for each image the group of near-duplicates it belongs to; ``None`` if none did tell.

    Args:
        job: Ray's reference to it.
        note: Tells the user why there are no finals.
        must_stop: Tells whether to wait no more, and say nothing.

    Raises:
        AntsbeesError: They cannot be found on any machine.
        RayError: Likewise.
    """
    silent: set[Place] = set()
    while lanes := [lane for lane in usable.lanes(time.monotonic()) if lane.place not in silent]:
        lane = lanes[0]
        try:
            found = _found_in(lane, job, must_stop, is_last=len(lanes) == 1)
        except (AntsbeesError, RayError) as error:
            if not usable.leaves_out(lane, error):
                raise
            continue
        if found is not None or must_stop():
            return found
        silent.add(lane.place)
    note(SILENT if silent else NO_SLOT)
    return None


def _found_in(
    lane: Lane, job: Any, must_stop: Callable[[], bool], is_last: bool
) -> list[int] | None:
    """Ask a lane; ``None`` if it is silent, or there is no time to wait."""
    began_s = time.monotonic()
    task = send(lane, began_s, groups_of, job, lane.device, lane.threads)
    while not ray.wait([task.ref], timeout=LOOK_EVERY_S)[0]:
        now_s = time.monotonic()
        is_silent = now_s - began_s > SILENCE_S or (not is_last and task.is_left_waiting(now_s))
        if is_silent or must_stop():
            task.cancel()
            return None
    found: list[int] = ray.get(task.ref)
    return found
