"""In which lanes finalists are trained again; the rest of the finals needs a real Ray."""

from __future__ import annotations

import pytest

from sweeps.running.finals import closed_lanes
from sweeps.running.lanes import LaneKind
from tests.sweeps.sweep_fakes import make_spec, row

CPU_ONLY, WITH_GPU = [{"CPU": 2.0}], [{"CPU": 4.0, "GPU": 1.0}]


@pytest.mark.parametrize(
    ("trained_in", "nodes", "closed"),
    [
        (("cpu",), WITH_GPU, [LaneKind.GPU]),  # the GPU lane may have closed during the search
        (("cpu", "gpu"), WITH_GPU, []),
        (("gpu",), WITH_GPU, [LaneKind.CPU]),
        (("gpu",), CPU_ONLY, []),  # the sweep goes on on a machine without a GPU
        (("cpu",), [], []),
    ],
)
def test_a_lane_without_a_finalist_stays_closed_while_another_is_there(
    trained_in: tuple[str, ...], nodes: list[dict[str, float]], closed: list[LaneKind]
) -> None:
    chosen = [row(number, 0.9, lane=lane) for number, lane in enumerate(trained_in)]
    assert sorted(closed_lanes(chosen, make_spec(), nodes)) == sorted(closed)
