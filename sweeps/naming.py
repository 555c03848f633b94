"""Turns what a user names into a spec's file, a row of the leaderboard, a model's folder."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from results.ranking import winner
from results.schema import TrialRecord
from results.winner import FinalWinner
from sweeps.errors import UsageError
from sweeps.paths import RunPaths

LATEST = "latest"
SHIPPED = ("default", "quick", "tutorial")


def spec_path(spec: str) -> Path:
    """Return the file of a spec: a path, or the name of a shipped one.

    Raises:
        UsageError: It is neither.
    """
    path = Path(spec)
    if path.is_file():
        return path
    if spec in SHIPPED:
        return Path(str(resources.files("sweeps.configs").joinpath(f"{spec}.yaml")))
    raise UsageError(f"there is no spec {spec}: give a YAML file, or one of {', '.join(SHIPPED)}")


def name_with_data(name: str, data: str) -> str:
    """Name a sweep after its spec and its images, so that other images make another sweep."""
    images = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(data).absolute().stem).strip("-.")
    return f"{name}-{images}"[:64] if images else name


def chosen_row(
    records: list[TrialRecord], trial: int | None, named: FinalWinner | None = None
) -> TrialRecord:
    """Return the row of a trial, or the winner's.

    Args:
        named: The winner of the sweep's finals, if it had any.

    Raises:
        UsageError: There is no such trial, or it completed no epoch.
        EmptyLeaderboard: No trial is complete.
    """
    if trial is None:
        return winning_row(records, named)
    row = next((record for record in records if record.trial_number == trial), None)
    if row is None:
        raise UsageError(
            f"sweep {records[0].sweep!r} has no trial {trial}; see antsbees leaderboard"
        )
    if not row.epochs_run:
        raise UsageError(f"trial {trial} completed no epoch ({row.error_message}); choose another")
    return row


def winning_row(records: list[TrialRecord], named: FinalWinner | None) -> TrialRecord:
    """Return the row of the winner: of the finals', else of the best score.

    Raises:
        EmptyLeaderboard: No trial is complete, and there were no finals.
    """
    if named is None:
        return winner(records)
    return next(record for record in records if record.trial_number == named.trial_number)


def model_name(name: str) -> str:
    """Return the name of a model to write, if it is a safe one.

    Raises:
        UsageError: It is not.
    """
    from sweeps.spec.models import NAME_RULE, is_safe_name

    if not is_safe_name(name) or name == LATEST:
        raise UsageError(f"{name!r} cannot be the name of a model; use {NAME_RULE}")
    return name


def ensemble_name(sweep: str) -> str:
    """Name the ensemble of a sweep, whose own name is that of its single model."""
    ending = "-ensemble"
    return f"{sweep[: 64 - len(ending)]}{ending}"


def model_folder(model: str, paths: RunPaths) -> Path:
    """Return the folder of a model: its name below ``runs/models``, a path, or the newest.

    Raises:
        UsageError: There is no such model.
    """
    named = paths.model(model)
    if model == LATEST:
        found = sorted(paths.model("x").parent.glob("[!.]*"), key=lambda p: p.stat().st_mtime)
        if not found:
            raise UsageError(f"there is no model in {named.parent}; run antsbees retrain first")
        return found[-1]
    if named.is_dir():
        return named
    if Path(model).is_dir():
        return Path(model)
    raise UsageError(f"there is no model {model}: neither a folder nor a name in {named.parent}")
