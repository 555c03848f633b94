"""The notebook among the examples is one, and its cells run one after another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from antsbees.data.synthetic import drawing as synthetic
from results.leaderboard import Leaderboard
from tests.sweeps.sweep_fakes import row

NOTEBOOK = Path(__file__).parents[2] / "examples" / "leaderboard.ipynb"


def test_the_notebook_is_valid_and_holds_no_outputs() -> None:
    """By the format's rules, https://nbformat.readthedocs.io/en/latest/format_description.html."""
    notebook = json.loads(NOTEBOOK.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells) >= 10
    for cell in cells:
        assert cell["cell_type"] in ("code", "markdown")
        assert isinstance(cell["metadata"], dict)
        assert all(isinstance(line, str) for line in cell["source"])
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_the_cells_of_the_notebook_run(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "few", size=48, counts={"train": 4, "val": 2})
    Leaderboard(tmp_path / "leaderboard").append(row(3, 0.9, backbone="efficientnet_lite0"))
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    program = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c", program],
        env=os.environ | {"ANTSBEES_DATA": str(tmp_path / "few"), "ANTSBEES_RUNS": str(tmp_path)},
        cwd=NOTEBOOK.parents[1],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "few: 8 images to learn from, 4 to validate on"
    assert sum(line.startswith("lr ") for line in lines) == 3
    taken = [line for line in lines if " taken for " in line]
    assert sum(int(line.rpartition(" ")[2]) for line in taken) == 4
    assert lines[-1] == (
        "efficientnet_lite0, 9 stages frozen: trial 3, score 0.9000, 1.25 s an epoch"
    )
