"""Reads and checks a folder of images laid out ``train/<class>/*``, ``val/<class>/*``."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from antsbees.data import images
from antsbees.data.copies import warnings_about_copies
from antsbees.data.datasets import SPLITS, TEST, Dataset, Split
from antsbees.data.names import printable
from antsbees.errors import DataError
from antsbees.storage import cache_folder, publish_file

_FAULTS_SHOWN = 50

_Files = dict[str, list[Path]]
"""Class to the images in its folder."""


def read_folder(root: Path, name: str | None = None) -> Dataset:
    """List and check a folder laid out ``train/<class>/*``, ``val/<class>/*``.

    A folder ``test/`` beside them is found, and not looked into; see ``read_test``.

    Raises:
        DataError: With all the folder's faults: a split or class is missing or empty, there are
            fewer than two classes, or images cannot be read or decoded.
    """
    with _one_sentence():
        files = {split: _files_by_class(root / split) for split in SPLITS}
        num_files = sum(_count_files(root / split) for split in SPLITS)
        has_test = (root / TEST).is_dir()
    faults = list(_layout_faults(root, files))
    classes = tuple(sorted(files["train"]))
    splits = {split: _split_of(files[split], classes) for split in SPLITS}
    paths = [*splits["train"].paths, *splits["val"].paths]
    digests, unreadable = _digests(root, paths)
    fingerprint = _fingerprint(digests)
    faults += unreadable or _undecodable(root, paths, fingerprint)
    _refuse(root, faults)
    return Dataset(
        name=name or root.name,
        root=root,
        classes=classes,
        train=splits["train"],
        val=splits["val"],
        fingerprint=fingerprint,
        num_skipped=num_files - len(paths),
        test_folder=root / TEST if has_test else None,
        warnings=tuple(warnings_about_copies(digests)),
    )


def read_test(dataset: Dataset) -> Split:
    """List and check the images of ``test/<class>/*``, which nothing else opens.

    Raises:
        DataError: There is no such folder, its classes are not those of the dataset, or images
            cannot be decoded.
    """
    folder = dataset.test_folder
    if folder is None:
        raise DataError(f"there is no folder {TEST}/ in {printable(dataset.root)}")
    with _one_sentence():
        files = _files_by_class(folder)
    faults = [
        f"class {printable(c)} of {TEST}/ is not one of the classes the models know"
        for c in sorted(set(files) - set(dataset.classes))
    ]
    split = _split_of(files, dataset.classes)
    if not split.paths:
        faults.append(f"{TEST}/ has no images")
    _refuse(dataset.root, faults or _decoding_faults(dataset.root, list(split.paths)))
    return split


@contextlib.contextmanager
def _one_sentence() -> Iterator[None]:
    """Translate what a file system refuses to list."""
    try:
        yield
    except OSError as error:
        name = printable(str(error.filename))
        raise DataError(f"{name} cannot be read: {error.strerror}") from error


def _refuse(root: Path, faults: list[str]) -> None:
    """Raise one error for all faults, if there are any."""
    if faults:
        shown = "\n".join(f"  - {fault}" for fault in faults[:_FAULTS_SHOWN])
        num_more = len(faults) - _FAULTS_SHOWN
        more = f"\n  - and {num_more} more" if num_more > 0 else ""
        raise DataError(f"the images in {printable(root)} cannot be used:\n{shown}{more}")


def _files_by_class(folder: Path) -> _Files:
    if not folder.is_dir():
        return {}
    classes = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    return {c.name: sorted(f for f in c.iterdir() if images.is_image_file(f)) for c in classes}


def _layout_faults(root: Path, files: Mapping[str, _Files]) -> Iterator[str]:
    for split in SPLITS:
        if not (root / split).is_dir():
            yield f"there is no folder {split}/"
        elif not files[split]:
            yield f"{split}/ has no class folders"
        for name, found in files[split].items():
            if not found:
                yield f"{split}/{printable(name)}/ has no images"
    if all(files.values()):
        for name in sorted(set(files["train"]) ^ set(files["val"])):
            have, lack = ("train", "val") if name in files["train"] else ("val", "train")
            yield f"class {printable(name)} is in {have}/ but not in {lack}/"
        if len(set(files["train"]) | set(files["val"])) < 2:
            only = printable(next(iter(files["train"])))
            yield f"there is a single class, {only}; at least two are needed"


def _split_of(files: _Files, classes: tuple[str, ...]) -> Split:
    pairs = [(path, label) for label, c in enumerate(classes) for path in files.get(c, [])]
    return Split(tuple(path for path, _ in pairs), tuple(label for _, label in pairs))


def fingerprint_of(root: Path, paths: Sequence[Path]) -> str:
    """Return the fingerprint of a folder's images as they are now.

    Raises:
        DataError: Some cannot be read.
    """
    digests, unreadable = _digests(root, paths)
    _refuse(root, unreadable)
    return _fingerprint(digests)


def _digests(root: Path, paths: Sequence[Path]) -> tuple[dict[Path, bytes], list[str]]:
    """Return the checksum of each image by its path below ``root``, and what cannot be read."""
    digests: dict[Path, bytes] = {}
    faults: list[str] = []
    for path in paths:
        try:
            digests[path.relative_to(root)] = hashlib.sha256(path.read_bytes()).digest()
        except OSError as error:
            faults.append(f"{_below(root, path)} cannot be read: {error.strerror}")
    return digests, faults


def _fingerprint(digests: Mapping[Path, bytes]) -> str:
    whole = hashlib.sha256()
    for path, digest in digests.items():
        whole.update(os.fsencode(path.as_posix()) + b"\0" + digest)
    return whole.hexdigest()


def _undecodable(root: Path, paths: list[Path], fingerprint: str) -> list[str]:
    """Decode every image, once for each fingerprint, and describe those that fail."""
    checked = cache_folder() / "checked" / fingerprint
    if checked.exists():
        return []
    faults = _decoding_faults(root, paths)
    if not faults:
        with contextlib.suppress(OSError), publish_file(checked):
            pass  # where it cannot be noted, the images are decoded again the next time
    return faults


def _decoding_faults(root: Path, paths: list[Path]) -> list[str]:
    def fault(path: Path) -> str | None:
        try:
            images.decode(path)
        except OSError as error:
            return f"{_below(root, path)} cannot be decoded: {error}"
        return None

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return [found for found in pool.map(fault, paths) if found]


def _below(root: Path, path: Path) -> str:
    return printable(path.relative_to(root).as_posix())


def _count_files(folder: Path, above: frozenset[Path] = frozenset()) -> int:
    """Count the files below a folder, in folders that are links too, but not in circles."""
    here = folder.resolve()
    if not folder.is_dir() or here in above:
        return 0
    inside = list(folder.iterdir())
    below = above | {here}
    return sum(_count_files(p, below) if p.is_dir() else p.is_file() for p in inside)
