"""Names the versions that numbers depend on."""

from __future__ import annotations

import sys
from functools import cache
from importlib.metadata import version

LIBRARIES = ("torch", "torchvision", "timm", "numpy", "pillow")


@cache
def library_versions(*further: str) -> str:
    """Name the versions of Python and of the libraries that compute.

    Args:
        further: Distributions to name as well.

    Returns:
        Such as ``python 3.12.1, torch 2.9.0``.
    """
    python = ".".join(map(str, sys.version_info[:3]))
    named = [f"{name} {version(name)}" for name in (*LIBRARIES, *further)]
    return ", ".join([f"python {python}", *named])
