"""The ways onto a cluster that the pages name are typed on hosts that share nothing."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from results.leaderboard import Leaderboard
from tests.cluster.hosts import ROOT, Host, hosts, logged_in, why_not
from tests.cluster.test_nothing_shared import CODE, ENDED, nodes
from tests.whole.tiny_sweep import TINY_SPEC

pytestmark = [
    pytest.mark.whole,
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]
TRIALS = 60


def lines_of_the_readme() -> list[str]:
    """Return what is to be typed on one's own machines."""
    section = (ROOT / "README.md").read_text().partition("## Your own machines")[2]
    return [re.sub(r"\s{2,}#.*", "", line) for line in section.split("```")[1].strip().split("\n")]


@pytest.fixture
def spec(tiny_folder: Path, tmp_path: Path) -> Path:
    """A spec for a sweep of some seconds."""
    written = tmp_path / "tiny.yaml"
    shorter = TINY_SPEC.replace("{trials: 6,", f"{{trials: {TRIALS},")
    written.write_text(f"{shorter}data: {tiny_folder}\n")
    return written


def test_the_lines_of_the_readme_make_a_cluster_and_a_sweep_on_it(
    tiny_folder: Path, spec: Path, tmp_path: Path
) -> None:
    token, head_line, node_line, plan, sweep, by_lane = lines_of_the_readme()

    def type_on(host: Host, line: str) -> str:
        done = host.typed(line.replace("<head>", head.address), tmp_path)
        assert done.returncode == 0, (line, done.stdout)
        return done.stdout

    with hosts(3, hidden=[tiny_folder, *CODE]) as machines:
        head, typist, other = machines
        typist.hidden = ()
        type_on(head, token)
        key = Path(".ray") / "auth_token"
        for host in (typist, other):
            (host.home / key).parent.mkdir(parents=True)
            (host.home / key).write_bytes((head.home / key).read_bytes())
        type_on(head, head_line)
        type_on(typist, node_line)
        type_on(other, node_line)
        planned = type_on(typist, f"{plan} {spec}")
        assert f"cpu lane: {3 * (os.cpu_count() or 1)} workers" in planned
        type_on(typist, f"{sweep} {spec} --no-report")
        told = type_on(typist, by_lane)
    assert set(nodes(tmp_path)) == {host.name for host in machines}
    assert all(host.name in told for host in machines)


def test_the_script_for_slurm_runs_with_stand_ins_for_its_commands(
    tiny_folder: Path, spec: Path, tmp_path: Path
) -> None:
    """``scontrol`` names the hosts, ``srun`` runs what follows its options on each of them."""
    with hosts(3, hidden=[tiny_folder, *CODE]) as machines:
        stand_ins = tmp_path / "bin"
        stand_ins.mkdir()
        write_command(stand_ins / "scontrol", *(f"echo {host.address}" for host in machines))
        each = [f'{shlex.join(host.words())} "$@" & pids="$pids $!"' for host in machines]
        write_command(stand_ins / "srun", "shift", *each, *("wait -n || exit" for _ in machines))
        given = {
            "SPEC": str(spec), "ANTSBEES_RUNS": str(tmp_path / "runs"),
            "SLURM_JOB_NODELIST": "abh[1-3]", "SLURM_JOB_NUM_NODES": "3",
            "SLURM_SUBMIT_DIR": str(ROOT),
        }  # fmt: skip
        environment = logged_in() | given
        environment["PATH"] = f"{stand_ins}:{environment['PATH']}"
        done = subprocess.run(
            ["bash", ROOT / "examples" / "clusters" / "slurm.sh"], env=environment, timeout=300,
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    rows = Leaderboard(tmp_path / "runs" / "leaderboard").read("tiny")
    assert [row.trial_number for row in rows] == list(range(TRIALS))
    assert {row.status for row in rows} <= ENDED
    assert set(nodes(tmp_path)) == {host.name for host in machines}


def write_command(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["#!/bin/bash", *lines, ""]))
    path.chmod(0o755)
