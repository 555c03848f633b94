"""The simulated sweeps of ``benchmarks.studies.lanes``, small: the code that places real trials."""

from __future__ import annotations

import pytest

from benchmarks.studies.lane_bounds import Slot, all_known_s, listed_s
from benchmarks.studies.lane_clusters import Machine, Scenario, works
from benchmarks.studies.lane_plot import Point, svg
from benchmarks.studies.lanes import POLICIES, Simulation

SMALL = Scenario("1 GPU + 6 CPUs", (Machine(1, 6),), ratio=10)


def makespan_s(policy: str, scenario: Scenario, trials: int) -> float:
    """Return the mean over three seeds, in units of the bound."""
    found = []
    for seed in range(3):
        drawn = works(trials, seed)
        outcome = Simulation(scenario, drawn, POLICIES[policy](), seed).run()
        found.append(outcome.makespan_s / scenario.bound_s(drawn))
    return sum(found) / len(found)


def test_placing_by_expected_finish_is_near_the_bound_and_no_worse_than_simpler_rules() -> None:
    ours = makespan_s("ours", SMALL, 100)
    assert ours < 1.15
    assert ours < min(makespan_s(name, SMALL, 100) for name in POLICIES if name != "ours")


def test_a_few_trials_are_left_to_the_fast_slot() -> None:
    far = Scenario("1 GPU + 6 CPUs", (Machine(1, 6),), ratio=50)
    assert makespan_s("ours", far, 12) < 1.2 * makespan_s("GPUs only", far, 12)


def test_trials_of_a_machine_that_leaves_are_done_elsewhere() -> None:
    leaves = Machine(0, 6, leaves_s=60.0)
    comes = Machine(0, 6, joins_s=100.0)
    scenario = Scenario("one leaves, one joins", (Machine(1, 2), leaves, comes), ratio=4)
    drawn = works(60, seed=0)
    simulation = Simulation(scenario, drawn, POLICIES["ours"](), seed=0)
    outcome = simulation.run()
    assert outcome.lost > 0
    assert outcome.makespan_s < 1.5 * scenario.bound_s(drawn)
    assert simulation.flights == {}
    assert simulation.waiting == []


@pytest.mark.parametrize("policy", list(POLICIES))
def test_one_slot_does_all_the_work(policy: str) -> None:
    one = Scenario("1 slot", (Machine(int(policy != "CPUs only"), 0, speed=1.0),), ratio=1)
    if policy == "CPUs only":
        one = Scenario("1 slot", (Machine(0, 1),), ratio=1)
    assert makespan_s(policy, one, 20) == pytest.approx(1.0, abs=0.15)


def test_who_knows_all_lengths_begins_with_the_longest() -> None:
    slots, seconds = [Slot(1.0), Slot(2.0)], [2.0, 2.0, 8.0]
    assert listed_s(slots, seconds) == 5.0  # 2 on the fast one, 2 on either, then 8 on the fast one
    assert all_known_s(slots, seconds) == 4.0
    assert listed_s([Slot(1.0, leaves_s=3.0), Slot(0.5, joins_s=1.0)], [2.0, 2.0]) == 5.0


def test_the_picture_has_every_way_and_cluster() -> None:
    ways = ("ours", "all known")
    points = [Point(c, "2 x", n, way, 1.5) for c in ("one", "two") for n in (9, 99) for way in ways]
    drawn = svg(points)
    assert all(f">{word}<" in drawn for word in (*ways, "one", "two", "2 x"))
