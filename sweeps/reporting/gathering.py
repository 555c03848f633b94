"""Gathers what a report is made from: rows, finals, the images where they are, importances."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from antsbees.data.datasets import Dataset
from antsbees.errors import AntsbeesError
from results.finals import Finals
from results.leaderboard import Leaderboard
from results.report.gathered import Gathered, Images, Importance, Reproduction
from results.schema import TrialRecord
from results.winner import final_winner
from sweeps.backbones import known_backbones
from sweeps.errors import SweepError
from sweeps.origin import find_origin
from sweeps.paths import RunPaths
from sweeps.reporting.pictures import groups_of
from sweeps.spec.models import SweepSpec


@dataclass(frozen=True)
class Opened:
    """The images of a sweep; where they are not at hand, nothing, and why."""

    dataset: Dataset | None
    missing: str = ""


def open_images(paths: RunPaths, sweep: str, data: str | None = None) -> Opened:
    """Open the images of a sweep.

    Args:
        data: A source that the user names instead of the sweep's.

    Raises:
        ResultsError: There is no such sweep, or its rows cannot be read.
    """
    record = Leaderboard(paths.leaderboard).read(sweep)[0]
    try:
        return Opened(find_origin(record, paths.spec(sweep), data).dataset)
    except (AntsbeesError, SweepError) as error:
        if data is not None:
            raise
        first, *_ = str(error).splitlines()
        return Opened(None, f"The images are not at hand: {first}")


def gather(paths: RunPaths, sweep: str, opened: Opened) -> Gathered:
    """Gather what a report of a sweep is made from.

    Raises:
        ResultsError: There is no such sweep, or its rows cannot be read.
    """
    trials = Leaderboard(paths.leaderboard).read(sweep, heavy=True)
    finals = Finals(paths.finals)
    folds = finals.read_undiverged(sweep) if sweep in finals.sweeps() else []
    spec = spec_of(paths.spec(sweep))
    importance, on_log = _from_search(spec, trials)
    return Gathered(
        sweep=sweep,
        trials=trials,
        folds=folds,
        winner=final_winner(folds, trials, backbones=known_backbones(trials)) if folds else None,
        images=None if opened.dataset is None else as_images(opened.dataset),
        missing=opened.missing,
        importance=importance,
        on_log=on_log,
        reproduction=None if spec is None else reproduction_of(spec),
    )


def as_images(dataset: Dataset) -> Images:
    """Return images as the report knows them."""
    pooled = dataset.pooled
    return Images(
        names=[str(path.relative_to(dataset.root)) for path in pooled.paths],
        labels=pooled.labels,
        classes=dataset.classes,
        num_train=len(dataset.train),
        groups=groups_of(pooled.paths),
    )


def spec_of(path: Path) -> SweepSpec | None:
    """Read what a sweep was started with; ``None`` if that is gone, or of another version."""
    try:
        known: dict[str, Any] = json.loads(path.read_text())
        given = {name: known[name] for name in known if name in SweepSpec.model_fields}
        return SweepSpec.model_validate(given)
    except (OSError, ValueError):
        return None


def _from_search(
    spec: SweepSpec | None, trials: Sequence[TrialRecord]
) -> tuple[Sequence[Importance], frozenset[str]]:
    if spec is None:
        return (), frozenset()
    from sweeps.search.importance import importances, on_log_scale  # loads Optuna

    return importances(spec, trials), on_log_scale(spec)


def reproduction_of(spec: SweepSpec) -> Reproduction:
    """Return what runs a sweep again: its spec in full, and the commands."""
    plain = spec.model_dump(mode="json", exclude_none=True)
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    name = shlex.quote(spec.name)
    return Reproduction(
        spec=text,
        commands=(
            f"antsbees sweep {name}.yaml --name {name}  # the spec below",
            f"antsbees best --sweep {name}",
            f"antsbees retrain --sweep {name}",
            f"antsbees report --sweep {name}",
        ),
    )
