"""Where labelled images come from: a folder, a zip, the tutorial's archive, or drawn ones."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path, PurePosixPath

from filelock import FileLock

from antsbees.data import images
from antsbees.data.synthetic import drawing as synthetic
from antsbees.errors import DataError
from antsbees.storage import cache_folder, publish_file, publish_folder

ARCHIVE_URL = "https://download.pytorch.org/tutorial/hymenoptera_data.zip"
SPLITS = ("train", "val")
SYNTHETIC = "synthetic"
AUTO = "auto"
DOWNLOAD_TIMEOUT_S = 15

Progress = Callable[[int, int], None]
"""Called with the bytes downloaded so far and in all."""


@dataclass(frozen=True)
class Split:
    """Image files in a fixed order, and for each the index of its class."""

    paths: tuple[Path, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True)
class Dataset:
    """Checked, labelled images.

    Args:
        name: ``synthetic``, or the name of the folder or archive.
        fingerprint: SHA-256 over the names and contents of all images, hexadecimal.
        num_skipped: Files left out because they are no images.
        notice: What the user must know about the choice of this dataset, if anything.
    """

    name: str
    root: Path
    classes: tuple[str, ...]
    train: Split
    val: Split
    fingerprint: str
    num_skipped: int = 0
    notice: str | None = None

    def split(self, name: str) -> Split:
        """Return the split of that name, ``train`` or ``val``."""
        return {"train": self.train, "val": self.val}[name]


def open_dataset(source: str, progress: Progress | None = None) -> Dataset:
    """Find, fetch if need be, and check the images a source names.

    Args:
        source: A folder ``train/<class>/*``, ``val/<class>/*``; a zip of one; ``synthetic``; or
            ``auto``: the folder in ``ANTSBEES_DATA``, else the tutorial's photographs, else
            ``synthetic``.

    Raises:
        DataError: The images cannot be used; the message names every fault found.
    """
    if source == AUTO and os.environ.get("ANTSBEES_DATA"):
        source = os.environ["ANTSBEES_DATA"]
    if source == AUTO:
        return _auto(progress)
    if source == SYNTHETIC:
        return read_folder(_synthetic_folder(), name=SYNTHETIC)
    path = Path(source).expanduser().absolute()
    if not path.exists():
        raise DataError(
            f"no images at {path}: give a folder with train/<class>/ and val/<class>/, "
            f"a zip of one, '{SYNTHETIC}' or '{AUTO}'"
        )
    if path.is_dir():
        return read_folder(path)
    return read_folder(_unzipped(path), name=path.stem)


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


def _auto(progress: Progress | None) -> Dataset:
    folder = cache_folder() / "hymenoptera_data"
    if not folder.is_dir():
        try:
            _download(folder, progress)
        except (OSError, http.client.HTTPException, DataError) as error:
            drawn = read_folder(_synthetic_folder(), name=SYNTHETIC)
            return replace(drawn, notice=_synthetic_notice(error))
    return read_folder(folder)


def _synthetic_notice(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return (
        f"Drawn images, not photographs. The tutorial's photographs could not be downloaded "
        f"({reason}), so this uses a synthetic set of drawn ants and bees. It shows that it all "
        f"works; its scores say nothing about real photographs, and its rows are marked "
        f"dataset={SYNTHETIC}. To use real ones: DATA=<folder> with make, --data <folder>, or "
        f"ANTSBEES_DATA=<folder>, a folder with train/<class>/ and val/<class>/."
    )


def _synthetic_folder() -> Path:
    folder = cache_folder() / f"{SYNTHETIC}-{synthetic.VERSION}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        synthetic.write(folder)
    return folder


def _download(folder: Path, progress: Progress | None) -> None:
    """Fetch the tutorial's archive, and publish its images if they are the expected ones."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder.parent) as temporary:
        partial = Path(temporary) / ARCHIVE_URL.rpartition("/")[2]
        with (
            urllib.request.urlopen(ARCHIVE_URL, timeout=DOWNLOAD_TIMEOUT_S) as answer,
            partial.open("wb") as out,
        ):
            total = int(answer.headers.get("Content-Length") or 0)
            while block := answer.read(1 << 18):
                out.write(block)
                if progress:
                    progress(out.tell(), total)
        _extract(partial, folder, verify=verify_hymenoptera)


def verify_hymenoptera(root: Path) -> None:
    """Compare a folder with the checksums of the tutorial's photographs.

    Raises:
        DataError: A file is missing or differs.
    """
    listing = resources.files("antsbees.data").joinpath("hymenoptera.sha256").read_text()
    for line in listing.splitlines():
        checksum, name = line.split(maxsplit=1)
        file = root / name
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != checksum:
            raise DataError(f"the downloaded archive is not the expected one: {name} differs")


def _unzipped(archive: Path) -> Path:
    if not zipfile.is_zipfile(archive):
        raise DataError(f"{archive} is neither a folder nor a zip file")
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    folder = cache_folder() / "unzipped" / digest
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            _extract(archive, folder)
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.namelist():
            if PurePosixPath(entry).is_absolute() or ".." in PurePosixPath(entry).parts:
                raise DataError(f"{archive} holds an unsafe path, {entry}; nothing was unpacked")
        opened.extractall(folder)


def _extract(archive: Path, folder: Path, verify: Callable[[Path], None] | None = None) -> None:
    """Unpack a zip, and publish the folder in it that holds ``train`` as ``folder``.

    Raises:
        DataError: The archive is damaged, an entry points outside of it, or there is no ``train``.
    """
    with publish_folder(folder) as fresh:
        try:
            _unpack(archive, fresh)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise DataError(f"{archive} cannot be unpacked: {error}") from error
        roots = [fresh, *sorted(p for p in fresh.iterdir() if p.is_dir())]
        root = next((p for p in roots if (p / "train").is_dir()), None)
        if root is None:
            raise DataError(f"{archive} holds no folder train/, at its top or one level below")
        if verify:
            verify(root)
        if root != fresh:
            for split in SPLITS:
                if (root / split).is_dir():
                    shutil.move(root / split, fresh / split)
            shutil.rmtree(root)
