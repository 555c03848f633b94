"""A report as numbers: every section, made of what was gathered, and as plain values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from results.report import answers, comparing, searching, space
from results.report.answers import Answered
from results.report.gathered import Gathered, Importance, Reproduction
from results.report.timeline import Timeline, timeline
from results.report.verdict import VerdictSection, first_tries, verdict_section, winning_trial
from results.schema import TUTORIAL, TrialRecord


@dataclass(frozen=True)
class Origins:
    """What a sweep was computed from, and with."""

    dataset: str | None
    dataset_fingerprint: str | None
    weights_hashes: dict[str, str]
    code_version: str | None
    library_versions: str | None
    nodes: tuple[str, ...]
    precisions: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """Every number of a report.

    Args:
        num_hidden: Trials that are no points, lines or bars, of a sweep with very many.
        missing: Why there are no images, if so.
        was_compared: Whether train and val were searched for near-duplicates.
    """

    sweep: str
    verdict: VerdictSection
    by_depth: tuple[comparing.BestOf, ...]
    by_backbone: tuple[comparing.BestOf, ...]
    trials: tuple[searching.Point, ...]
    num_hidden: int
    curves: tuple[searching.CurvePoint, ...]
    dimensions: tuple[space.Dimension, ...]
    positions: tuple[space.Position, ...]
    importance: tuple[Importance, ...]
    answered_on: str | None
    classes: tuple[str, ...]
    confusion: tuple[answers.Cell, ...]
    disagreements: tuple[answers.Disagreement, ...]
    suspects: tuple[answers.Suspect, ...]
    num_finalists: int
    was_compared: bool
    copies: tuple[answers.Copy, ...]
    calibration: answers.Calibration | None
    timeline: Timeline
    origins: Origins
    reproduction: Reproduction | None
    missing: str

    def to_plain(self) -> dict[str, Any]:
        """Return every number as plain values that JSON can hold."""
        plain: dict[str, Any] = _finite(asdict(self))
        return plain


def make_report(gathered: Gathered) -> Report:
    """Compute every section."""
    objective, images = gathered.objective, gathered.images
    folds = gathered.answers
    shown = searching.shown_trials(gathered.trials)
    order = [importance.name for importance in gathered.importance]
    known = space.dimensions(space.searched(gathered.trials), order, gathered.on_log)
    front = comparing.pareto_front(gathered.trials, objective)
    best = winning_trial(gathered)
    answered = None if best is None else answers.answered_by(best, folds, images)
    return Report(
        sweep=gathered.sweep,
        verdict=verdict_section(gathered, folds),
        by_depth=comparing.best_by_depth(gathered.trials),
        by_backbone=comparing.best_by_backbone(gathered.trials),
        trials=searching.points(shown, objective, front),
        num_hidden=len(gathered.trials) - len(shown),
        curves=searching.curves(shown, objective),
        dimensions=known,
        positions=space.positions(space.searched(shown), known),
        importance=tuple(gathered.importance),
        answered_on=None if answered is None else answered.source,
        classes=() if answered is None else answers.classes(answered, images),
        confusion=() if answered is None else answers.confusion(answered, images),
        disagreements=() if answered is None else _disagreements(gathered, answered),
        suspects=() if folds is None else answers.suspects(folds, images),
        num_finalists=0 if folds is None else len(folds.trial_numbers),
        was_compared=images is not None and images.groups is not None,
        copies=() if images is None else answers.copies(images),
        calibration=None if answered is None else answers.calibration(answered),
        timeline=timeline(shown, gathered.folds),
        origins=_origins(gathered.trials),
        reproduction=gathered.reproduction,
        missing=gathered.missing,
    )


def _disagreements(gathered: Gathered, answered: Answered) -> tuple[answers.Disagreement, ...]:
    """Hold the winner's answers against those of the tutorial's configuration."""
    tutorials = first_tries(gathered, TUTORIAL)
    if not tutorials or tutorials[0].trial_number == answered.trial_number:
        return ()
    other = answers.answered_by(tutorials[0], gathered.answers, gathered.images)
    return () if other is None else answers.disagreements(answered, other, gathered.images)


def _origins(trials: Sequence[TrialRecord]) -> Origins:
    last = trials[-1]
    hashes = {t.backbone: t.weights_hash for t in trials if t.backbone and t.weights_hash}
    nodes = {t.node for t in trials if t.node}
    precisions = {t.precision for t in trials if t.precision}
    return Origins(
        dataset=last.dataset,
        dataset_fingerprint=last.dataset_fingerprint,
        weights_hashes=hashes,
        code_version=last.code_version,
        library_versions=last.library_versions,
        nodes=tuple(sorted(nodes)),
        precisions=tuple(sorted(precisions)),
    )


def _finite(value: Any) -> Any:
    """Return plain values with nothing where a number is not finite, which JSON cannot say."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
