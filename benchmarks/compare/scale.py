"""How cost grows with the number of images and with the number of trials; ours alone."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.compare.measured import Row
from benchmarks.compare.ours import run_ours
from benchmarks.compare.overhead import head_spec
from benchmarks.compare.settings import Settings, draw

IMAGE_FACTORS = (1, 4, 16)
TRIAL_COUNTS = (10, 100, 1000)
EPOCHS = 3


def measure(settings: Settings) -> list[Row]:
    """Measure more images under the same trials, then more trials on the same images."""
    with settings.folder("scale-data") as folder:
        drawn = {
            factor: draw(folder / f"x{factor}", tiny=settings.tiny, factor=factor)
            for factor in IMAGE_FACTORS
        }
        images = [
            _row(replace(settings, data=data), f"x{factor} images", settings.pick(8, 2))
            for factor, data in drawn.items()
        ]
        first = replace(settings, data=drawn[1])
        counts = sorted({min(count, settings.max_trials) for count in TRIAL_COUNTS})
        trials = [_row(first, f"{count} trials", count) for count in counts]
    return [*_compared(images), *_compared(trials)]


def _row(settings: Settings, name: str, trials: int) -> Row:
    run = run_ours(settings, head_spec(settings, "scale", trials, EPOCHS))
    num_images = sum(1 for _ in settings.data.rglob("*.jpg"))
    what = f"{num_images} images, {trials} trials of a head, {EPOCHS} epochs"
    note = f"{what}: {run.seconds:.1f} s, {run.seconds / trials:.3g} s a trial"
    return Row(f"scale: {name}", run, notes=(note,))


def _compared(rows: list[Row]) -> list[Row]:
    """Add to every row its cost in terms of the first one's."""
    base = rows[0].ours.seconds
    return [
        replace(row, notes=(f"{row.notes[0]}, {row.ours.seconds / base:.2f} times the first",))
        for row in rows
    ]
