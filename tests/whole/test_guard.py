"""What is left, and what is said, when a driver's process ends without a word."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from sweeps.running.guard import GRACE_S

PROGRAM = """
import os, subprocess, sys
from sweeps.running.guard import guarded
with guarded("the last sentence"):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(child.pid, flush=True)
    {end}
child.kill()
"""


def run(end: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(end=end)], capture_output=True, text=True,
        timeout=30, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def alive(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
@pytest.mark.parametrize("end", ["os._exit(1)", "os.kill(os.getpid(), 9)", "os.abort()"])
def test_a_driver_that_ends_without_a_word_leaves_a_sentence_and_no_process(end: str) -> None:
    done = run(end)
    assert done.returncode != 0
    assert done.stderr == "error: the last sentence\n"
    deadline = time.monotonic() + 2 * GRACE_S
    while alive(int(done.stdout)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


ORPHAN = """
import os, subprocess, sys, time
from sweeps.running import guard
with guard.guarded("the last sentence"):
    parent = subprocess.Popen(
        [sys.executable, "-c", "import subprocess, sys, time;"
         "print(subprocess.Popen(['sleep', '60'], env={}).pid, flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE, text=True,
    )
    print(parent.stdout.readline(), flush=True)
    time.sleep(guard.LOOK_EVERY_S + 2)
    parent.kill()
    os._exit(1)
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
def test_an_orphan_without_the_mark_is_ended_too() -> None:
    """As Ray's agents are, which overwrite their environment, once their raylet is gone."""
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN], capture_output=True, text=True, timeout=60
    )
    deadline = time.monotonic() + 2 * GRACE_S
    while alive(int(done.stdout)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("end", ["child.kill()", "raise SystemExit(child.kill())"])
def test_a_driver_that_ends_by_itself_says_nothing_more(end: str) -> None:
    assert run(end).stderr == ""
