"""Finds the same file in two places where it spoils a score: two splits, or two classes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from antsbees.data.names import listed, printable


def warnings_about_copies(digests: Mapping[Path, bytes]) -> list[str]:
    """Describe files of equal contents that lie in two splits, and in two classes.

    Args:
        digests: ``split/class/name`` to a checksum of the file's contents.
    """
    paths: defaultdict[bytes, list[Path]] = defaultdict(list)
    for path, digest in digests.items():
        paths[digest].append(path)
    copies = [same for same in paths.values() if len(same) > 1]
    return [
        *_warning(
            [same for same in copies if len({path.parts[0] for path in same}) > 1],
            "in both train/ and val/, which makes the validation score too good",
        ),
        *_warning(
            [same for same in copies if len({path.parts[1] for path in same}) > 1],
            "in two classes, of which one must be wrong",
        ),
    ]


def _warning(copies: list[list[Path]], where: str) -> Iterator[str]:
    if copies:
        pictures = "1 picture is" if len(copies) == 1 else f"{len(copies)} pictures are"
        each = [" = ".join(printable(path.as_posix()) for path in same) for same in copies]
        yield f"{pictures} {where}: {listed(each)}"
