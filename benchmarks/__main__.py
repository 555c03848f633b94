"""The command line: ``python -m benchmarks [--data FOLDER] [--only mixed,sweep] [--out FILE]``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from antsbees.data.sources import AUTO, open_dataset
from antsbees.errors import DataError
from benchmarks.compare import heads, machine, mixed, overhead, scale, sweep, tuned
from benchmarks.compare.measured import Row
from benchmarks.compare.settings import Settings, default_slots, draw
from benchmarks.compare.table import markdown, plain

MEASUREMENTS: Mapping[str, Callable[[Settings], list[Row]]] = {
    "mixed": mixed.measure,
    "tuned": tuned.measure,
    "heads": heads.measure,
    "sweep": sweep.measure,
    "overhead": overhead.measure,
    "scale": scale.measure,
}


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure this harness beside a plain Ray Tune script, on the same cores.",
    )
    parser.add_argument("--data", default=AUTO, help="a folder, a zip, synthetic, or auto")
    parser.add_argument("--only", type=_names, default=tuple(MEASUREMENTS), help="a,b,...")
    parser.add_argument("--out", type=Path, help="write the figures as JSON too")
    parser.add_argument("--repeats", type=int, default=1, help="the order changes each time")
    parser.add_argument("--slots", type=int, default=default_slots(), help="trials at once")
    parser.add_argument("--overhead-trials", type=_two_or_more, help="the most, default 1000")
    parser.add_argument("--baseline-s", type=float, help="limit of its sweep, default 600")
    parser.add_argument("--tiny", action="store_true", help="only show that all paths run")
    return parser.parse_args()


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown measurements: {', '.join(unknown)}; known: {', '.join(MEASUREMENTS)}"
        )
    return names


def _two_or_more(text: str) -> int:
    count = int(text)
    if count < 2:
        raise argparse.ArgumentTypeError(f"a pace needs at least 2 trials, got {count}")
    return count


def main() -> int:
    """Measure, print the table, and write the figures."""
    options = parse()
    with tempfile.TemporaryDirectory(prefix="antsbees-bench-", ignore_cleanup_errors=True) as made:
        scratch = Path(made)
        os.environ["ANTSBEES_CACHE"] = str(scratch / "cache")  # never the user's
        try:
            data = _data(options, scratch)
        except DataError as error:
            print(error, file=sys.stderr)
            return 2
        settings = Settings(
            data=data,
            scratch=scratch,
            slots=options.slots,
            max_trials=options.overhead_trials or (12 if options.tiny else 1000),
            time_budget_s=options.baseline_s or (60 if options.tiny else 600),
            tiny=options.tiny,
        )
        rows, num_failed = _measure_all(settings, options)
    print(markdown(rows))
    return 1 if num_failed else 0


def _data(options: argparse.Namespace, scratch: Path) -> Path:
    if options.tiny:
        return draw(scratch / "tiny", tiny=True)
    dataset = open_dataset(options.data)
    if dataset.notice:
        print(dataset.notice, file=sys.stderr)
    return dataset.root


def _measure_all(settings: Settings, options: argparse.Namespace) -> tuple[list[Row], int]:
    """Return the rows, and how many measurements failed, which costs only their own rows."""
    before = machine.describe()
    rows: list[Row] = []
    num_failed = 0
    for repeat in range(options.repeats):
        ordered = replace(settings, ours_first=repeat % 2 == 0)
        for name in options.only:
            print(f"{time.strftime('%H:%M:%S')} {name} ...", file=sys.stderr, flush=True)
            try:
                rows += MEASUREMENTS[name](ordered)
            except RuntimeError as error:
                print(f"{name} failed: {error}", file=sys.stderr, flush=True)
                num_failed += 1
            if options.out:
                _write(options.out, {"machine": before, "rows": [plain(row) for row in rows]})
    return rows, num_failed


def _write(out: Path, figures: dict[str, Any]) -> None:
    """Write what is known so far, so that a later failure does not lose it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial")
    partial.write_text(json.dumps(figures, indent=2) + "\n")
    partial.replace(out)


if __name__ == "__main__":
    sys.exit(main())
