"""Takes a sweep up again: tells whether it is the same one, and its study what it missed."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from antsbees.data.datasets import Dataset
from antsbees.storage import publish_file
from results.leaderboard import Leaderboard
from results.schema import TrialRecord
from sweeps.errors import UsageError
from sweeps.paths import state_file
from sweeps.search.study import SearchStudy
from sweeps.spec.models import SweepSpec

FIXED_ONCE_STARTED = (
    "backbone", "weights", "image_size", "views", "epochs", "seed", "objective", "precision",
    "inference_precision", "fast_layers", "space",
)  # fmt: skip


def require_same_sweep(spec: SweepSpec, dataset: Dataset, path: Path) -> None:
    """Compare the spec with what the sweep was started with, or remember it.

    Raises:
        UsageError: A part that makes trials incomparable has changed.
    """
    plain = spec.model_dump(mode="json")
    plain["dataset_fingerprint"] = dataset.fingerprint
    plain["dataset_root"] = str(dataset.root)
    if path.exists():
        defaults = SweepSpec(name=spec.name).model_dump(mode="json")
        before = defaults | json.loads(path.read_text())  # a key that is newer than the file
        before["space"] = defaults["space"] | before["space"]
        fixed = [*FIXED_ONCE_STARTED, "dataset_fingerprint"]
        changed = [key for key in fixed if before.get(key) != plain.get(key)]
        if changed:
            raise UsageError(
                f"the sweep {spec.name!r} was started with another {' and '.join(changed)}; "
                f"its trials cannot be compared with new ones: choose another name "
                f"(NAME= with make, --name), or delete {path.parent} and its leaderboard folder"
            )
    with publish_file(path) as partial:
        partial.write_text(json.dumps(plain, indent=2) + "\n")


def clear_states(folder: Path, numbers: Collection[int]) -> None:
    """Delete all in the folder of states but those that trials may go on from, by their numbers.

    What else is there was being written at a kill, or by a worker whose trial ended elsewhere.
    """
    kept = {state_file(folder, number) for number in numbers}
    for file in set(folder.glob("*")) - kept:
        with suppress(OSError):
            file.unlink()
    with suppress(OSError):  # it is not empty
        folder.rmdir()


def reconcile(study: SearchStudy, sweep: str, leaderboard: Leaderboard) -> list[TrialRecord]:
    """Tell the study of rows it has not heard of: the process ended between the two.

    Returns:
        The sweep's rows that stay; those of trials to be taken up again are not among them.

    Raises:
        UsageError: There are rows of trials that the study does not have.
    """
    rows = leaderboard.read(sweep) if sweep in leaderboard.sweeps() else []
    if not {row.trial_number for row in rows} <= study.numbers():
        raise UsageError(
            f"the leaderboard has trials of {sweep!r} that its study does not know; "
            "the study was deleted: choose another name, or delete the leaderboard's folder too"
        )
    known = [row for row in rows if not row.is_open]
    for row in known:
        study.tell(row)
    return known
