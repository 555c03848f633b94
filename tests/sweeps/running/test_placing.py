"""Which trial begins next, and where."""

from __future__ import annotations

import pytest

from sweeps.running.lanes import Lane, LaneKind
from sweeps.running.pace import Pace, Work
from sweeps.running.placing import Busy, Left, Placing

LITE0 = "efficientnet_lite0"
DEEP, HEAD = Work(LITE0, 0, 1), Work(LITE0, 9, 1)
GPU = Lane(LaneKind.GPU, "cuda", slots=1, threads=1, gpu=1.0)
CPU = Lane(LaneKind.CPU, "cpu", slots=4, threads=1)
BOTH = (GPU, CPU)
MANY = Left(more=1000)


def placing(drawn: Work = DEEP, **seconds: tuple[float, float]) -> Placing:
    """Return one that knows seconds of a deep epoch and of a head's, by kind of lane."""
    pace = Pace()
    for kind, (deep_s, head_s) in seconds.items():
        pace.learn(LaneKind(kind), None, DEEP.cell, deep_s)
        pace.learn(LaneKind(kind), None, HEAD.cell, head_s)
    made = Placing(pace)
    made.drew(drawn)
    return made


def tenfold(drawn: Work = DEEP) -> Placing:
    return placing(drawn, gpu=(1.0, 0.1), cpu=(10.0, 1.0))


ON_GPU = Busy(DEEP, GPU, ends_s=1.0)


def test_a_single_lane_takes_what_comes() -> None:
    made = placing()
    assert made.window((CPU,)) == 1
    assert made.choose((CPU,), [], [DEEP], Left(0), 0.0) == (0, CPU)
    full = [Busy(DEEP, CPU, 5.0)] * 4
    assert made.choose((CPU,), full, [DEEP], Left(0), 0.0) is None


def test_the_faster_lane_is_filled_first_and_then_the_other() -> None:
    assert tenfold().choose(BOTH, [], [DEEP], MANY, 0.0) == (0, GPU)
    assert tenfold().choose(BOTH, [ON_GPU], [DEEP], MANY, 0.0) == (0, CPU)


@pytest.mark.parametrize(("more", "begins"), [(0, False), (5, False), (8, False), (9, True)])
def test_near_the_end_no_long_trial_begins_on_a_slow_lane(more: int, begins: bool) -> None:
    """In the ten seconds it would take there, the GPU does nine: it is free in one second."""
    chosen = tenfold().choose(BOTH, [ON_GPU], [DEEP], Left(more), 0.0)
    assert chosen == ((0, CPU) if begins else None)


def test_a_short_trial_does() -> None:
    chosen = tenfold().choose(BOTH, [ON_GPU], [DEEP, HEAD], Left(0), 0.0)
    assert chosen == (1, CPU)


def test_nothing_begins_that_could_not_end_before_the_time_is_up() -> None:
    made = tenfold()
    assert made.choose(BOTH, [ON_GPU], [DEEP], Left(1000, until_s=9.0), 0.0) is None
    assert made.choose(BOTH, [ON_GPU], [DEEP], Left(1000, until_s=11.0), 0.0) == (0, CPU)
    assert made.choose(BOTH, [], [DEEP], Left(1000, until_s=0.5), 0.0) == (0, GPU)


def test_each_lane_takes_the_trial_it_is_best_at_beside_the_other() -> None:
    """A GPU does nothing for heads."""
    made = placing(gpu=(1.0, 1.0), cpu=(20.0, 1.0))
    assert made.choose(BOTH, [ON_GPU], [DEEP, HEAD], MANY, 0.0) == (1, CPU)
    assert made.choose(BOTH, [], [HEAD, DEEP], MANY, 0.0) == (0, GPU)  # in turn, if equally good
    assert made.choose(BOTH, [ON_GPU], [DEEP, DEEP], MANY, 0.0) == (0, CPU)


def test_an_unmeasured_lane_costs_one_trial() -> None:
    made = placing(gpu=(1.0, 0.1))
    assert made.choose(BOTH, [ON_GPU], [DEEP, HEAD], Left(5), 0.0) == (1, CPU)
    exploring = [ON_GPU, Busy(DEEP, CPU, 20.0)]
    assert made.choose(BOTH, exploring, [DEEP], Left(5), 0.0) is None
    assert made.choose(BOTH, [ON_GPU], [DEEP], Left(0), 0.0) is None


def test_at_the_end_a_free_fast_slot_takes_over_from_a_slow_one() -> None:
    made = tenfold()
    slow = [Busy(HEAD, CPU, 0.5), Busy(DEEP, CPU, 8.0)]
    assert made.to_move(BOTH, slow, 0.0) == 1
    assert made.to_move(BOTH, slow, 7.0) is None  # one second here, or there
    assert made.to_move(BOTH, [*slow, ON_GPU], 0.0) is None
    assert made.to_move(BOTH, [Busy(DEEP, CPU, 8.0, has_moved=True)], 0.0) is None
    assert made.to_move((CPU,), slow, 0.0) is None
