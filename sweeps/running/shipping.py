"""Photographs that travel: packed by the driver, unpacked once on each node that lacks them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from antsbees.data.datasets import Dataset, Split
from antsbees.errors import AntsbeesError, DataError
from antsbees.storage import prepared_folder, publish_folder
from sweeps.running import arrived

PART_BYTES = 64 * 2**20  # packed together; what a worker holds at once while it unpacks

Part = list[tuple[str, bytes]]
"""Names of files below the dataset's root, and what is in them."""


class ImagesDifferError(AntsbeesError):
    """A node has other images than the driver, or none."""


@dataclass(frozen=True)
class Shipment:
    """Images in Ray's object store.

    Args:
        parts: References to ``Part``; none when there are more bytes than may travel.
        num_bytes: Of all images.
        max_bytes: That may travel.
    """

    parts: tuple[Any, ...]
    num_bytes: int
    max_bytes: int


def ship(dataset: Dataset, max_bytes: int, put: Callable[[Part], Any]) -> Shipment:
    """Put a dataset's images where every node can fetch them, if they are few enough.

    Args:
        put: Ray's.

    Raises:
        OSError: A file cannot be read any more.
    """
    paths = [*dataset.train.paths, *dataset.val.paths]
    num_bytes = sum(path.stat().st_size for path in paths)
    if num_bytes > max_bytes:
        return Shipment((), num_bytes, max_bytes)
    return Shipment(tuple(put(part) for part in _parts(dataset.root, paths)), num_bytes, max_bytes)


def images_here(
    dataset: Dataset, shipment: Shipment | None, folder: Path | None, fetch: Callable[[Any], Part]
) -> Dataset:
    """Return the driver's dataset with its images where this node has them.

    They are taken from the same path, if they are the same there; else from this node's cache,
    into which the first worker that needs them unpacks what the driver sent.

    Args:
        folder: Of this node's cache; ``None`` for a temporary one.
        fetch: Ray's ``get``.

    Raises:
        ImagesDifferError: There are none here, or others, and they did not travel.
    """
    if (fault := _fault(dataset)) is None:
        return dataset
    if shipment is None:
        raise ImagesDifferError(fault)
    if not shipment.parts:
        raise ImagesDifferError(
            f"{fault}; they are {shipment.num_bytes / 2**30:.2g} GB, and at most "
            f"{shipment.max_bytes / 2**30:.2g} GB travel (travel_gb): put them under that path on "
            "every machine, or raise travel_gb"
        )
    root = arrived.use(folder or prepared_folder()) / dataset.fingerprint[:16]
    moved = _below(root, dataset)
    with FileLock(f"{root}.lock"):
        if _fault(moved) is not None:
            shutil.rmtree(root, ignore_errors=True)
            _unpack(shipment, root, fetch)
    if (fault := _fault(moved)) is not None:
        raise ImagesDifferError(f"images did not arrive as they were sent: {fault}")
    return moved


def _parts(root: Path, paths: list[Path]) -> Iterator[Part]:
    part: Part = []
    num_bytes = 0
    for path in paths:
        part.append((path.relative_to(root).as_posix(), path.read_bytes()))
        num_bytes += len(part[-1][1])
        if num_bytes >= PART_BYTES:
            yield part
            part, num_bytes = [], 0
    if part:
        yield part


def _unpack(shipment: Shipment, root: Path, fetch: Callable[[Any], Part]) -> None:
    with publish_folder(root) as fresh:
        for reference in shipment.parts:
            for name, content in fetch(reference):
                target = fresh / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)


def _below(root: Path, dataset: Dataset) -> Dataset:
    def moved(split: Split) -> Split:
        paths = (root / path.relative_to(dataset.root) for path in split.paths)
        return Split(tuple(paths), split.labels)

    return replace(dataset, root=root, train=moved(dataset.train), val=moved(dataset.val))


def _fault(dataset: Dataset) -> str | None:
    """Return what keeps the images of this node from being the driver's, if anything does."""
    from antsbees.data.folder import fingerprint_of

    try:
        found = fingerprint_of(dataset.root, [*dataset.train.paths, *dataset.val.paths])
    except DataError as error:
        first_fault = str(error).partition("\n  - ")[2].partition("\n")[0]
        return f"this node does not have the driver's images in {dataset.root}: {first_fault}"
    if found == dataset.fingerprint:
        return None
    return (
        f"this node has other images than the driver in {dataset.root}: "
        f"fingerprint {found[:8]}, not {dataset.fingerprint[:8]}"
    )
