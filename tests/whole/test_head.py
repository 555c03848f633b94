"""What a person reads when Ray's head dies under a sweep."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from pathlib import Path

import pytest

from results.leaderboard import Leaderboard
from tests.whole.test_commands import MARK, marked_processes, wait_until
from tests.whole.tiny_sweep import TINY_SPEC, command, command_line


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
def test_losing_the_head_ends_in_one_sentence_and_the_same_command_goes_on(
    tiny_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY_SPEC.replace("epochs: 3", "epochs: 60"))
    words = ("sweep", "tiny.yaml", "--data", tiny_folder, "--name", "tiny", "--no-report",
             "--trials")  # fmt: skip
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        command_line(*words, "400"), cwd=tmp_path, env=os.environ | {MARK: mark},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    board = Leaderboard(tmp_path / "runs" / "leaderboard")
    wait_until(lambda: "tiny" in board.sweeps(), 120, "a row")
    (head,) = [pid for pid in marked_processes(mark) if "gcs_server" in _name(pid)]
    os.kill(head, signal.SIGKILL)
    _, errors = process.communicate(timeout=150)
    assert process.returncode == 1
    (sentence,) = errors.splitlines()
    assert sentence.startswith("error: the sweep")
    assert "run the same command again to go on" in sentence
    wait_until(lambda: not marked_processes(mark), 30, "no process left behind")
    before = len(board.read("tiny"))
    again = command(*words, str(before + 2), cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert len(board.read("tiny")) >= before + 2


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().partition("\0")[0]
    except OSError:
        return ""
