"""Soaks a sweep on hosts that come and go: ``python -m tests.cluster.soak [--minutes 10]``."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from antsbees.data.synthetic import drawing
from results.leaderboard import Leaderboard
from results.report.places import place_uses
from tests.cluster.hosts import Host, hosts
from tests.cluster.test_nothing_shared import CODE, start_sweep

HOSTS = 5


def main() -> None:
    """Run a sweep for some minutes, a host joining or leaving every few seconds; print a report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=20, help="seconds")
    parser.add_argument("--trials", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak") as made:
        folder = Path(made)
        data = folder / "tiny"
        drawing.write(data, size=48, counts={"train": 12, "val": 8})
        with hosts(HOSTS, hidden=[data, *CODE]) as machines:
            num_changes = _soak(machines, folder, data, options)
        _report(folder, num_changes)


def _soak(machines: list[Host], folder: Path, data: Path, options: argparse.Namespace) -> int:
    rng = random.Random(0)
    head, others = machines[0], machines[1:]
    head.start_ray(num_cpus=1)
    time.sleep(8)
    sweep = start_sweep(head, folder, data, options.trials, minutes=options.minutes)
    num_changes = 0
    until_s = time.monotonic() + 60 * options.minutes
    try:
        while sweep.poll() is None and time.monotonic() < until_s:
            host = rng.choice(others)
            if host.processes:
                host.kill()
            else:
                host.start_ray(num_cpus=1, head=head)
            num_changes += 1
            time.sleep(options.every)
        sweep.wait(timeout=120)
    finally:
        sweep.kill()
        sweep.wait()
        print((folder / "sweep.log").read_text()[-1500:])
    return num_changes


def _report(folder: Path, num_changes: int) -> None:
    rows = Leaderboard(folder / "runs" / "leaderboard").read("tiny", heavy=True)
    numbers = Counter(row.trial_number for row in rows)
    twice = sum(count > 1 for count in numbers.values())
    missing = max(numbers) + 1 - len(numbers)
    print(f"{num_changes} times a host joined or left; {len(rows)} rows")
    print(f"rows that are there twice: {twice}; numbers without a row: {missing}")
    print("by status:", dict(Counter(str(row.status) for row in rows)))
    print("lost:", sum(row.error_kind == "lost" for row in rows))
    for use in place_uses(rows):
        print(use.to_plain())


if __name__ == "__main__":
    main()
