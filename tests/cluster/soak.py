"""Soaks a sweep on hosts that come and go: ``python -m tests.cluster.soak [--minutes 10]``."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from antsbees.data.synthetic import drawing
from results.leaderboard import Leaderboard
from results.report.places import place_uses
from results.schema import TrialRecord
from tests.cluster.hosts import Host, hosts
from tests.cluster.test_nothing_shared import CODE, start_sweep

HOSTS = 5


def main() -> None:
    """Run a sweep for some minutes, a host joining or leaving every few seconds; print a report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=20, help="seconds")
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=3, help="of a trial, at most")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak") as made:
        folder = Path(made)
        data = folder / "tiny"
        drawing.write(data, size=48, counts={"train": 12, "val": 8})
        with hosts(HOSTS, hidden=[data, *CODE]) as machines:
            stints = _soak(machines, folder, data, options)
        _report(folder, stints)


@dataclass
class Stint:
    """A time in which a host was up, in seconds since the epoch."""

    node: str
    from_s: float
    until_s: float | None = None


def _soak(
    machines: list[Host], folder: Path, data: Path, options: argparse.Namespace
) -> list[Stint]:
    rng = random.Random(0)
    head, others = machines[0], machines[1:]
    head.start_ray(num_cpus=1)
    time.sleep(8)
    sweep = start_sweep(head, folder, data, options.trials, options.minutes, options.epochs)
    stints: dict[str, list[Stint]] = {host.name: [] for host in machines}
    stints[head.name].append(Stint(head.name, time.time()))
    until_s = time.monotonic() + 60 * options.minutes
    try:
        while sweep.poll() is None and time.monotonic() < until_s:
            host = rng.choice(others)
            if host.processes:
                stints[host.name][-1].until_s = time.time()
                host.kill()
            else:
                stints[host.name].append(Stint(host.name, time.time()))
                host.start_ray(num_cpus=1, head=head)
            time.sleep(options.every)
        sweep.wait(timeout=120)
    finally:
        sweep.kill()
        sweep.wait()
        print((folder / "sweep.log").read_text()[-1500:])
    return [stint for of_host in stints.values() for stint in of_host]


def _report(folder: Path, stints: list[Stint]) -> None:
    rows = Leaderboard(folder / "runs" / "leaderboard").read("tiny", heavy=True)
    numbers = Counter(row.trial_number for row in rows)
    twice = sum(count > 1 for count in numbers.values())
    missing = max(numbers) + 1 - len(numbers)
    num_changes = sum(1 + (stint.until_s is not None) for stint in stints) - 1
    print(f"{num_changes} times a host joined or left; {len(rows)} rows")
    print(f"rows that are there twice: {twice}; numbers without a row: {missing}")
    print("by status:", dict(Counter(str(row.status) for row in rows)))
    print("lost:", sum(row.error_kind == "lost" for row in rows))
    for use in place_uses(rows):
        print(use.to_plain())
    _report_time(stints, rows)


def _report_time(stints: list[Stint], rows: list[TrialRecord]) -> None:
    """Print how much of the time in which a worker could have had a trial it had one.

    A host can work from its first trial on; before that, Ray and its worker start. What it was at
    when it was killed has no row from there, and counts as lost.
    """
    spans: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row.started_at and row.finished_at:
            span = row.started_at.timestamp(), row.finished_at.timestamp()
            spans.setdefault(row.node or "", []).append(span)
    ended_s = max(end for of_node in spans.values() for _, end in of_node)
    up_s = starting_s = could_s = busy_s = 0.0
    for stint in stints:
        until_s = min(stint.until_s or ended_s, ended_s)
        mine = [s for s in spans.get(stint.node, []) if stint.from_s <= s[0] <= until_s]
        first_s = min((start for start, _ in mine), default=until_s)
        up_s += until_s - stint.from_s
        starting_s += first_s - stint.from_s
        could_s += until_s - first_s
        busy_s += sum(end - start for start, end in mine)
    print(f"hosts were up for {up_s:.0f} s, of which {starting_s:.0f} s until their first trials")
    print(f"of the {could_s:.0f} s after that, they had a trial for {busy_s:.0f} s: ", end="")
    print(f"{busy_s / could_s:.1%}")


if __name__ == "__main__":
    main()
