"""A sweep on hosts that share nothing: the code and the photographs are on the head alone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from results.leaderboard import Leaderboard
from results.schema import TrialStatus
from tests.cluster.hosts import PORT, ROOT, Host, hosts, why_not
from tests.whole.tiny_sweep import TINY_SPEC

pytestmark = [
    pytest.mark.whole,
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]
CODE = [ROOT / name for name in ("antsbees", "results", "sweeps")]
ENDED = {TrialStatus.COMPLETE, TrialStatus.STOPPED}


def start_sweep(
    head: Host, folder: Path, data: Path, trials: int, minutes: float = 10, epochs: int = 3
) -> subprocess.Popen[bytes]:
    """Type the command on the head."""
    spec = folder / "tiny.yaml"
    timed = TINY_SPEC.replace("{trials: 6,", f"{{trials: 6, minutes: {minutes},")
    spec.write_text(timed.replace("epochs: 3", f"epochs: {epochs}"))
    words: list[str | Path] = [
        sys.executable, "-m", "sweeps.cli", "sweep", spec, "--data", data, "--name", "tiny",
        "--trials", str(trials), "--address", f"{head.address}:{PORT}",
        "--runs", folder / "runs", "--no-report",
    ]  # fmt: skip
    with (folder / "sweep.log").open("wb") as out:
        return subprocess.Popen(
            head.words(*words), cwd=ROOT, env=head.environment, stdout=out, stderr=out
        )


def wait_for(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    until_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until_s, "it took too long"
        time.sleep(0.5)


def nodes(folder: Path) -> Counter[str]:
    """Count the rows by the host they were computed on."""
    board = Leaderboard(folder / "runs" / "leaderboard")
    rows = board.read("tiny") if board.sweeps() else []
    return Counter(row.node or "" for row in rows)


def test_hosts_without_code_and_photographs_take_part_and_may_come_and_go(
    tiny_folder: Path, tmp_path: Path
) -> None:
    with hosts(4, hidden=[tiny_folder, *CODE]) as (head, leaves, stays, joins):
        head.start_ray(num_cpus=1)
        time.sleep(8)
        for host in (leaves, stays):
            host.start_ray(num_cpus=1, head=head)
        sweep = start_sweep(head, tmp_path, tiny_folder, trials=400)
        try:
            wait_for(lambda: len(nodes(tmp_path)) == 3)
            leaves.kill()
            joins.start_ray(num_cpus=1, head=head)
            wait_for(lambda: joins.name in nodes(tmp_path))
            code = sweep.wait(timeout=240)
        finally:
            sweep.kill()
            sweep.wait()
        for host in (stays, joins):
            assert [path.suffix for path in (host.cache / "images").glob("*") if path.is_file()]
        assert not (head.cache / "images").exists()
    assert code == 0, (tmp_path / "sweep.log").read_text()[-2000:]
    rows = Leaderboard(tmp_path / "runs" / "leaderboard").read("tiny")
    assert [row.trial_number for row in rows] == list(range(400))
    assert {row.status for row in rows} <= ENDED
