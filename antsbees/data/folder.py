"""Reads and checks a folder of images laid out ``train/<class>/*``, ``val/<class>/*``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from antsbees.data import images
from antsbees.data.datasets import SPLITS, Dataset, Split
from antsbees.errors import DataError
from antsbees.storage import cache_folder, publish_file


def read_folder(root: Path, name: str | None = None) -> Dataset:
    """List and check a folder laid out ``train/<class>/*``, ``val/<class>/*``.

    Raises:
        DataError: With all the folder's faults: a split or class is missing or empty, there are
            fewer than two classes, or images cannot be decoded.
    """
    files = {split: _files_by_class(root / split) for split in SPLITS}
    faults = list(_layout_faults(root, files))
    classes = tuple(sorted(files["train"]))
    splits = {split: _split_of(files[split], classes) for split in SPLITS}
    fingerprint = _fingerprint(root, [*splits["train"].paths, *splits["val"].paths])
    faults += _undecodable(root, [*splits["train"].paths, *splits["val"].paths], fingerprint)
    if faults:
        shown = "\n".join(f"  - {fault}" for fault in faults[:50])
        more = f"\n  - and {len(faults) - 50} more" if len(faults) > 50 else ""
        raise DataError(f"the images in {root} cannot be used:\n{shown}{more}")
    return Dataset(
        name=name or root.name,
        root=root,
        classes=classes,
        train=splits["train"],
        val=splits["val"],
        fingerprint=fingerprint,
        num_skipped=_count_files(root) - sum(len(split) for split in splits.values()),
    )


def _files_by_class(folder: Path) -> dict[str, list[Path]]:
    if not folder.is_dir():
        return {}
    classes = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    return {c.name: sorted(f for f in c.iterdir() if images.is_image_file(f)) for c in classes}


def _layout_faults(root: Path, files: dict[str, dict[str, list[Path]]]) -> Iterator[str]:
    for split in SPLITS:
        if not (root / split).is_dir():
            yield f"there is no folder {split}/"
        elif not files[split]:
            yield f"{split}/ has no class folders"
        for name, found in files[split].items():
            if not found:
                yield f"{split}/{name}/ has no images"
    if all(files.values()):
        for name in sorted(set(files["train"]) ^ set(files["val"])):
            have, lack = ("train", "val") if name in files["train"] else ("val", "train")
            yield f"class {name} is in {have}/ but not in {lack}/"
        if len(set(files["train"]) | set(files["val"])) < 2:
            yield f"there is a single class, {next(iter(files['train']))}; at least two are needed"


def _split_of(files: dict[str, list[Path]], classes: tuple[str, ...]) -> Split:
    pairs = [(path, label) for label, c in enumerate(classes) for path in files.get(c, [])]
    return Split(tuple(path for path, _ in pairs), tuple(label for _, label in pairs))


def _fingerprint(root: Path, paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(os.fsencode(path.relative_to(root).as_posix()) + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _undecodable(root: Path, paths: list[Path], fingerprint: str) -> list[str]:
    """Decode every image, once for each fingerprint, and describe those that fail."""
    checked = cache_folder() / "checked" / fingerprint
    if checked.exists():
        return []

    def fault(path: Path) -> str | None:
        try:
            images.decode(path)
        except OSError as error:
            return f"{path.relative_to(root).as_posix()} cannot be decoded: {error}"
        return None

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        faults = [found for found in pool.map(fault, paths) if found]
    if not faults:
        with publish_file(checked):
            pass
    return faults


def _count_files(root: Path) -> int:
    return sum(1 for split in SPLITS for path in (root / split).rglob("*") if path.is_file())
