"""Numbers as a line of blocks."""

from __future__ import annotations

from sweeps.views.sparkline import sparkline


def test_the_least_is_the_lowest_block_and_the_greatest_the_highest() -> None:
    assert sparkline([1, 2, 3, 8]) == "▁▂▃█"
    assert sparkline([-0.4, -0.3, -0.1]) == "▁▃█"


def test_of_many_numbers_the_first_and_the_last_are_drawn() -> None:
    assert sparkline([0.0, *[1.0] * 998, 3.0], width=5) == "▁▃▃▃█"


def test_numbers_that_are_alike_lie_at_the_bottom() -> None:
    assert (sparkline([]), sparkline([0.5]), sparkline([7, 7])) == ("", "▁", "▁▁")
