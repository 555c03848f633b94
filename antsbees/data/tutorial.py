"""Fetches the photographs of PyTorch's transfer-learning tutorial, and knows their checksums."""

from __future__ import annotations

import hashlib
import tempfile
import urllib.request
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from antsbees.data.archive import extract
from antsbees.errors import DataError
from antsbees.storage import cache_folder, prepared_folder

ARCHIVE_URL = "https://download.pytorch.org/tutorial/hymenoptera_data.zip"
NAME = "hymenoptera_data"
DOWNLOAD_TIMEOUT_S = 15

Progress = Callable[[int, int], None]
"""Called with the bytes downloaded so far and in all."""


def photographs(progress: Progress | None = None) -> Path:
    """Return the folder of the photographs, downloaded the first time.

    Raises:
        DataError: What was downloaded is not the expected archive.
        OSError: It could not be downloaded.
        http.client.HTTPException: The server does not speak HTTP.
    """
    ready = cache_folder() / NAME
    if ready.is_dir():
        return ready
    folder = prepared_folder() / NAME
    if not folder.is_dir():
        _download(folder, progress)
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
        extract(partial, folder, verify=verify_hymenoptera)


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
