"""Where a row comes from: the images it was computed from, and the cache its sweep was allowed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from antsbees.data.datasets import Dataset
from antsbees.data.sources import AUTO, SYNTHETIC, open_dataset
from antsbees.errors import DataError
from results.schema import TrialRecord
from sweeps.errors import UsageError
from sweeps.spec.models import Cache


@dataclass(frozen=True)
class Origin:
    """What a row's trial had, to train it again.

    Args:
        cache_max_bytes: The cap that the sweep set on the cache's size.
    """

    dataset: Dataset
    cache_max_bytes: int


def find_origin(record: TrialRecord, sweep_file: Path, data: str | None = None) -> Origin:
    """Open the images a row was computed from, and check that they are the same.

    Args:
        sweep_file: What the sweep was started with.
        data: A source that the user names instead.

    Raises:
        UsageError: The sweep's file is missing and no source was named, or it is damaged.
        DataError: The images cannot be found, or are others.
    """
    try:
        before = json.loads(sweep_file.read_text())
        source = data or _source(record, before)
        max_gb = float(before["cache"]["max_gb"])
    except OSError as error:
        if data is None:
            raise UsageError(f"{sweep_file} is missing; name the images with --data") from error
        source, max_gb = data, Cache().max_gb
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{sweep_file} is damaged; it describes no sweep") from error
    return Origin(_same_images(record, open_dataset(source)), int(max_gb * 1024**3))


def _source(record: TrialRecord, before: dict[str, Any]) -> str:
    """Return the folder of the images; what the user had named where that is gone."""
    root, named = Path(before["dataset_root"]), str(before["data"])
    if root.exists():
        return str(root)
    if named == AUTO and record.dataset == SYNTHETIC:  # for want of the photographs
        return SYNTHETIC
    return named


def _same_images(record: TrialRecord, dataset: Dataset) -> Dataset:
    """Return the images under the name they have in the row."""
    if dataset.fingerprint != record.dataset_fingerprint:
        theirs = str(record.dataset_fingerprint)[:8]
        raise DataError(
            f"the images at {dataset.root} are not those of sweep {record.sweep}: their "
            f"fingerprint is {dataset.fingerprint[:8]}, its rows have {theirs}; "
            "bring the images back, or run a new sweep on these"
        )
    return replace(dataset, name=record.dataset or dataset.name)
