"""Heads of a backbone are one task, and come first."""

from __future__ import annotations

from dataclasses import replace

from sweeps.finals.grouping import is_head, stages_of, together
from sweeps.finals.racing import Turn
from tests.sweeps.sweep_fakes import row

LITE0, LITE2 = "efficientnet_lite0", "efficientnet_lite2"
TRIALS = {
    number: row(number, frozen_stages=k, backbone=backbone)
    for number, (k, backbone) in enumerate(
        [(7, LITE0), (9, LITE0), (9, LITE2), (5, LITE2), (9, LITE0)]
    )
}


def test_heads_of_a_backbone_are_one_group_and_others_are_divided_in_their_order() -> None:
    def one_by_one(turn: Turn) -> list[Turn]:
        return [replace(turn, fold=fold) for fold in range(2)]

    turns = [Turn(number, 1) for number in TRIALS]
    assert together(turns, TRIALS, is_head, one_by_one) == [
        (Turn(1, 1), Turn(4, 1)), (Turn(2, 1),),
        (Turn(0, 1, 0),), (Turn(0, 1, 1),), (Turn(3, 1, 0),), (Turn(3, 1, 1),),
    ]  # fmt: skip
    assert together([], TRIALS, is_head, one_by_one) == []


def test_what_a_backbone_is_frozen_at_comes_with_all_its_stages() -> None:
    assert stages_of(TRIALS, LITE0) == (7, 9)
    assert stages_of({0: TRIALS[3]}, LITE2) == (5, 9)
