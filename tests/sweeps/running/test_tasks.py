"""Where turns of finals run."""

from __future__ import annotations

from dataclasses import replace

from sweeps.finals.grouping import Group
from sweeps.finals.racing import Turn
from sweeps.running.lanes import LaneKind
from sweeps.running.placing import Busy
from sweeps.running.tasks import TurnPlacing
from tests.sweeps.sweep_fakes import CPU, GPU, row

LATE_S = 10_000.0
ROWS = {
    number: row(
        number, lane=lane, backbone="efficientnet_lite0", frozen_stages=k, epochs=2, epochs_run=2,
        trained_part_s=seconds,
    )
    for number, (lane, k, seconds) in enumerate(
        [("gpu", 3, 2.0), ("cpu", 3, 200.0), ("gpu", 9, 0.2), ("cpu", 9, 0.2)]
    )
}  # fmt: skip
DEEP: list[Group] = [(Turn(0, 0),), (Turn(1, 0),)]
HEADS: Group = (Turn(2, 0), Turn(3, 0))


def begun(
    queue: list[Group], until_s: float = LATE_S
) -> tuple[list[tuple[Group, str]], list[Busy]]:
    """Fill the slots at one moment."""
    placing, waiting = TurnPlacing(ROWS, 244, 5, [*ROWS.values()]), list(queue)
    busy: list[Busy] = []
    found = []
    while chosen := placing.choose((GPU, CPU), busy, waiting, until_s, now_s=100.0):
        place, slot = chosen
        found.append((waiting.pop(place), str(slot.lane.kind)))
        busy.append(slot)
    return found, busy


def test_a_deep_turn_waits_for_the_gpu_that_is_soon_free() -> None:
    found, (slot,) = begun(DEEP)
    assert found == [(DEEP[0], "gpu")]
    assert slot.ends_s == 105.0 + 5.0  # five folds of two epochs, a second each


def test_a_fold_alone_takes_its_part_of_the_time() -> None:
    _, (slot,) = begun([(Turn(0, 0, 3),)])
    assert slot.ends_s == 100.0 + 2.0


def test_a_soup_takes_as_many_times_longer() -> None:
    """An epoch of its row is one of each of its trainings, which tells what one alone takes."""
    rows = {0: replace(ROWS[0], soup_size=4, trained_part_s=8.0), 1: replace(ROWS[0], epochs=3)}
    soup_alone = TurnPlacing({0: rows[0]}, 244, 5, [rows[0]])
    chosen = soup_alone.choose((GPU,), [], [(Turn(0, 0),)], LATE_S, now_s=100.0)
    assert chosen is not None
    assert chosen[1].ends_s == 100.0 + 5 * 8.0
    both = TurnPlacing(rows, 244, 5, [*rows.values()])  # an epoch takes a second in either
    chosen = both.choose((GPU,), [], [(Turn(1, 0),)], LATE_S, now_s=100.0)
    assert chosen is not None
    assert chosen[1].ends_s == 100.0 + 5 * 3.0


def test_heads_that_a_core_is_as_good_at_do_not_wait_behind_it() -> None:
    found, _ = begun([*DEEP, HEADS])
    assert sorted(kind for _, kind in found) == ["cpu", "gpu"]
    assert (HEADS, "cpu") in found


def test_a_slow_lane_helps_where_there_is_more_than_the_fast_one_can_do() -> None:
    found, _ = begun(DEEP * 150)
    assert {kind for _, kind in found} == {"cpu", "gpu"}


def test_a_slow_lane_begins_nothing_that_ends_after_the_time() -> None:
    found, _ = begun(DEEP * 150, until_s=200.0)
    assert {kind for _, kind in found} == {"gpu"}


def test_late_what_is_still_to_be_had_does_not_wait_for_the_best_lane() -> None:
    """The GPU is busy for as long as the core would take."""
    placing, queue = TurnPlacing(ROWS, 244, 5, [*ROWS.values()]), [DEEP[1]]
    gpu_turn = placing.choose((GPU,), [], queue, LATE_S, now_s=100.0)
    assert gpu_turn is not None
    busy = [replace(gpu_turn[1], ends_s=10_000.0)]
    chosen = placing.choose((GPU, CPU), busy, queue, until_s=90.0, now_s=100.0)
    assert chosen is not None
    assert chosen[1].lane.kind is LaneKind.CPU
    assert placing.choose((GPU, CPU), busy, queue, until_s=110.0, now_s=100.0) is None


def test_in_one_lane_turns_come_in_their_order() -> None:
    placing, queue = TurnPlacing(ROWS, 244, 5, [*ROWS.values()]), [HEADS, *DEEP]
    place, slot = placing.choose((CPU,), [], queue, LATE_S, now_s=0.0) or (None, None)
    assert place == 0
    assert slot is not None
    assert slot.lane.kind is LaneKind.CPU
    assert placing.choose((CPU,), [slot] * CPU.slots, queue, LATE_S, now_s=0.0) is None
    assert placing.choose((), [], queue, LATE_S, now_s=0.0) is None
