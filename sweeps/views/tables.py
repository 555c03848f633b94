"""The leaderboard and the best configuration as tables, plain values and YAML."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from results.ensemble import Ensemble
from results.ranking import comparable_groups, rank, wilson_interval
from results.schema import HYPERPARAMETERS, Objective, TrialRecord, TrialStatus
from results.standing import Standing, standing_of
from results.winner import FinalWinner
from sweeps.naming import winning_row


def short_fingerprint(record: TrialRecord) -> str:
    """Return the first characters of a dataset's fingerprint."""
    return (record.dataset_fingerprint or "")[:8]


def best_values(records: list[TrialRecord], named: FinalWinner | None = None) -> dict[str, Any]:
    """Sum up the winner of rows that can be compared: its configuration and its score.

    Args:
        named: The winner of the sweep's finals, if it had any.

    Raises:
        EmptyLeaderboard: No trial is complete, and there were no finals.
    """
    return standing_values(standing_of(records, winning_row(records, named)), named)


def standing_values(standing: Standing, named: FinalWinner | None = None) -> dict[str, Any]:
    """Sum up where a sweep stands, as ``best_values`` does."""
    best, tutorial = standing.winner, standing.tutorial
    interval = _interval(best)
    return {
        "sweep": best.sweep,
        "trial_number": best.trial_number,
        "dataset": best.dataset,
        "dataset_fingerprint": best.dataset_fingerprint,
        "objective": best.objective,
        "score": best.score,
        "val_accuracy": best.val_accuracy,
        "val_accuracy_95": interval,
        "val_loss": best.val_loss,
        "num_val_images": best.num_val_images,
        "backbone": best.backbone,
        "configuration": configuration(best),
        "seed": best.seed,
        "training_s": best.training_s,
        "trials": {str(status): count for status, count in standing.counts.items()},
        "finals": None if named is None else _finals_values(named),
        "tutorial": None
        if tutorial is None
        else {
            "trial_number": tutorial.trial_number,
            "val_accuracy": tutorial.val_accuracy,
            "val_accuracy_95": _interval(tutorial),
            "val_loss": tutorial.val_loss,
            "out_of_fold": None if named is None else _out_of_fold(named, tutorial.trial_number),
        },
    }


def _out_of_fold(named: FinalWinner, trial_number: int) -> dict[str, float] | None:
    score = named.scores.get(trial_number)
    return None if score is None else {"accuracy": score.accuracy, "loss": score.loss}


def _finals_values(named: FinalWinner) -> dict[str, Any]:
    """Return the scores of a winner of finals, and what it is held against, as plain values."""
    return {
        "finalists": named.num_finalists,
        "num_images": named.num_images,
        "soup_size": named.soup_size,
        "out_of_fold": {"accuracy": named.accuracy.reported, "loss": named.loss.reported},
        "corrected": {
            "accuracy": named.accuracy.corrected,
            "accuracy_95": [named.accuracy.low, named.accuracy.high],
            "loss": named.loss.corrected,
            "loss_95": [named.loss.low, named.loss.high],
        },
        "verdicts": [asdict(verdict) for verdict in named.verdicts],
        "advice": named.advice,
        "ensemble": None if named.ensemble is None else _ensemble_values(named.ensemble),
    }


def configuration(record: TrialRecord) -> dict[str, Any]:
    """Return the hyperparameters that apply to a trial."""
    values = {name: getattr(record, name) for name in HYPERPARAMETERS}
    return {name: value for name, value in values.items() if value is not None}


def _ensemble_values(ensemble: Ensemble) -> dict[str, Any]:
    return {
        "members": len(ensemble.members),
        "trials": list(ensemble.members),
        "is_better": ensemble.is_better,
        "corrected": {
            "accuracy": ensemble.accuracy.corrected,
            "loss": ensemble.loss.corrected,
            "loss_95": [ensemble.loss.low, ensemble.loss.high],
        },
        "verdict": asdict(ensemble.verdict),
        "offer": ensemble.offer,
    }


def _interval(record: TrialRecord) -> list[float] | None:
    if record.val_accuracy is None or not record.num_val_images:
        return None
    interval = wilson_interval(record.val_accuracy, record.num_val_images)
    return [interval.low, interval.high]


def best_table(values: dict[str, Any]) -> RenderableType:
    """Draw what ``best_values`` returns."""
    counts = ", ".join(f"{count} {status}" for status, count in values["trials"].items() if count)
    head = Text()
    head.append(f"Best of sweep {values['sweep']}", style="bold")
    head.append(f" ({counts}; dataset {values['dataset']}): trial {values['trial_number']}")
    scores = Table(box=None, padding=(0, 2), header_style="dim")
    for column in ("", "accuracy", "95 % interval", "loss"):
        scores.add_column(column, justify="left" if not column else "right")
    scores.add_row("this configuration", *_score_cells(values), style="bold")
    if finals := values["finals"]:
        for row in _finals_rows(finals):
            scores.add_row(*row)
    if values["tutorial"]:
        scores.add_row("the tutorial's", *_score_cells(values["tutorial"]))
        if reported := values["tutorial"]["out_of_fold"]:
            scores.add_row(*_out_of_fold_cells(reported))
    settings = Table(box=None, padding=(0, 2), show_header=False)
    backbone = {"backbone": values["backbone"]} if values["backbone"] else {}
    for name, value in (backbone | values["configuration"]).items():
        settings.add_row(name, number(value))
    told = f"on {values['num_val_images']} validation images"
    if finals:
        told += f"; out of fold: on all {finals['num_images']}, by {finals['finalists']} finalists"
        size = finals["soup_size"] or 1
        if size > (values["configuration"].get("soup_size") or 1):
            told += f", this one as it is kept: the mean of {size} trainings"
    images = Text(told, style="dim")
    verdicts = _verdict_lines(finals) if finals else []
    return Group(head, "", scores, images, *verdicts, "", settings)


def _finals_rows(finals: dict[str, Any]) -> list[list[str]]:
    """Return the out-of-fold and the corrected score as cells."""
    reported, corrected = finals["out_of_fold"], finals["corrected"]
    low, high = corrected["accuracy_95"]
    return [
        _out_of_fold_cells(reported),
        [
            "  corrected for the choice",
            f"{corrected['accuracy']:.1%}",
            f"{low:.1%} - {high:.1%}",
            f"{corrected['loss']:.4f}",
        ],
    ]


def _out_of_fold_cells(scores: dict[str, float]) -> list[str]:
    return ["  out of fold", f"{scores['accuracy']:.1%}", "", f"{scores['loss']:.4f}"]


def _verdict_lines(finals: dict[str, Any]) -> list[Text]:
    """Say how a winner compares with other configurations, and what to do."""
    told = [_sentence(verdict["sentence"]) for verdict in finals["verdicts"]]
    told.append(_sentence(finals["advice"], "bold"))
    if finals["ensemble"] and (offer := finals["ensemble"]["offer"]):
        told.append(_sentence(offer))
    return told


def _sentence(words: str, style: str = "") -> Text:
    ends = "" if "antsbees retrain" in words else "."  # a command is copied without a full stop
    return Text(f"{words[0].upper()}{words[1:]}{ends}", style=style)


def _score_cells(values: dict[str, Any]) -> list[str]:
    interval = values["val_accuracy_95"]
    told = "-" if interval is None else f"{interval[0]:.1%} - {interval[1]:.1%}"
    return [f"{values['val_accuracy']:.1%}", told, f"{values['val_loss']:.4f}"]


LISTED = (
    "sweep", "trial_number", "status", "score", "val_accuracy", "val_loss", "epochs_run",
    "backbone", *HYPERPARAMETERS, "lane", "training_s",
)  # fmt: skip


def leaderboard_tables(records: list[TrialRecord], top: int) -> RenderableType:
    """Draw rows, best first; rows that cannot be compared in tables of their own."""
    tables: list[RenderableType] = []
    for key, rows in comparable_groups(records).items():
        fingerprint = (key.dataset_fingerprint or "")[:8]
        title = f"dataset {key.dataset} ({fingerprint}), objective {key.objective}"
        tables.append(_leaderboard_table(title, rank(rows), top))
    return Group(*tables)


def _leaderboard_table(title: str, ranked: list[TrialRecord], top: int) -> Table:
    """Draw rows of one objective; beside a log-loss stands the accuracy, beside it the log-loss."""
    table = Table(title=title, title_justify="left", box=None, header_style="dim")
    by_loss = ranked[0].objective == Objective.VAL_LOSS
    columns = {
        "rank": "rank", "sweep": "sweep", "trial": "trial_number", "status": "status",
        "score": "score", **({"accuracy": "val_accuracy"} if by_loss else {"loss": "val_loss"}),
        **({"backbone": "backbone"} if len({row.backbone for row in ranked}) > 1 else {}),
        "epochs": "epochs_run", "lr": "lr", "mom.": "momentum", "decay": "weight_decay",
        "batch": "batch_size", "smooth": "label_smoothing", "frozen": "frozen_stages",
        "schedule": "schedule", "lane": "lane", "seconds": "training_s",
    }  # fmt: skip
    for name in columns:
        is_text = name in ("sweep", "status", "backbone", "schedule")
        table.add_column(name, justify="left" if is_text else "right")
    for place, record in enumerate(ranked[:top], start=1):
        values = {**asdict(record), "rank": place}
        style = "bold" if place == 1 and record.status is TrialStatus.COMPLETE else None
        table.add_row(*(number(values[column]) for column in columns.values()), style=style)
    return table


def leaderboard_rows(records: list[TrialRecord], top: int) -> list[dict[str, Any]]:
    """Return rows as plain values, each with its rank among the rows it can be compared with."""
    rows = []
    for key, group in comparable_groups(records).items():
        for place, record in enumerate(rank(group)[:top], start=1):
            values = {name: getattr(record, name) for name in LISTED}
            about = {"rank": place, "dataset": key.dataset, "objective": key.objective}
            about["dataset_fingerprint"] = key.dataset_fingerprint
            rows.append({**about, **values, "status": str(record.status)})
    return rows


def why_no_winner(records: list[TrialRecord], log: Path) -> str:
    """Say why a sweep has no complete trial."""
    failed = [record for record in records if record.status is TrialStatus.FAILED]
    if not failed:
        unfinished = sum(record.status is TrialStatus.UNFINISHED for record in records)
        return (
            f"no trial came to its end: {len(records) - unfinished} were stopped, {unfinished} are "
            f"unfinished; see {log}"
        )
    last = failed[-1]
    return (
        f"{len(failed)} of {len(records)} trials failed and none is complete; the last failed with "
        f"{last.error_kind}: {last.error_message}; see {log}"
    )


def number(value: Any) -> str:
    """Write a value for people: few digits, nothing for nothing."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def told_score(record: TrialRecord) -> str:
    """Return the score of a row, and beside a log-loss the accuracy, which says more to people."""
    told = score_text(record.score)
    if record.objective == Objective.VAL_LOSS and record.val_accuracy is not None:
        told += f" at {100 * record.val_accuracy:.1f}%"
    return told


def score_text(score: float | None) -> str:
    """Write a score, or a dash for none."""
    return "-" if score is None else f"{score:.4f}"
