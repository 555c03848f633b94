"""The drawn sets of studies: complete, repeatable, and not given away by their mean colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from antsbees.data.folder import read_folder
from antsbees.data.synthetic.cues import draw_grain
from antsbees.data.synthetic.drawing import DIFFICULTIES, draw
from antsbees.data.synthetic.sets import SETS

FEW = {"train": 2, "val": 1}


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_written_complete_and_the_same_again(tmp_path: Path, name: str) -> None:
    for folder in ("one", "two"):
        SETS[name].write(tmp_path / folder, size=32, counts=FEW)
    one, two = (read_folder(tmp_path / folder) for folder in ("one", "two"))
    assert one.fingerprint == two.fingerprint
    assert one.warnings == ()
    assert one.classes == tuple(sorted(SETS[name].classes))
    assert (len(one.train), len(one.val)) == (2 * len(one.classes), len(one.classes))


def test_there_are_three_difficulties_ten_forms_and_a_set_of_a_thousand_images() -> None:
    assert list(SETS) == ["insects-easy", "insects-usual", "insects-hard", "forms", "grain"]
    assert len(SETS["forms"].classes) == 10
    assert len(SETS["grain"].classes) * sum(SETS["grain"].counts.values()) == 1000


def test_the_usual_difficulty_is_that_of_the_drawn_set() -> None:
    usual = draw("ants", "train", 3, size=32, difficulty=DIFFICULTIES["usual"])
    assert usual.tobytes() == draw("ants", "train", 3, size=32).tobytes()
    drawn = (draw("ants", "train", 3, size=32, difficulty=d) for d in DIFFICULTIES.values())
    assert len({image.tobytes() for image in drawn}) == 3


def test_the_cue_is_in_how_red_and_blue_go_together_and_in_neither_alone() -> None:
    def grain(name: str, number: int) -> NDArray[np.float64]:
        """The red, green and blue that were added to the drawing beneath."""
        grained = np.asarray(draw_grain(name, "train", 1, size=96), dtype=np.float64)
        beneath = np.asarray(draw("bees", "train", number, size=96), dtype=np.float64)
        added: NDArray[np.float64] = grained - beneath
        return added.reshape(-1, 3).T

    grey, violet = grain("grey grain", 2), grain("violet grain", 3)
    assert np.corrcoef(grey[0], grey[2])[0, 1] > 0.95
    assert np.corrcoef(violet[0], violet[2])[0, 1] < -0.95
    for colour in (0, 2):
        assert grey[colour].std() == pytest.approx(violet[colour].std(), rel=0.1)
    assert not grey[1].any()
    assert not violet[1].any()
    with pytest.raises(ValueError, match="class_name must be one of"):
        draw_grain("ants", "train", 0)
