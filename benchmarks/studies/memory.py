"""Memory of a worker by k and allocator: ``python -m benchmarks.studies.memory``.

Each figure is of a process of its own: its peak (``VmHWM``, with the pages of libraries) after six
steps over 32 random images in bfloat16, and the seconds of the fastest step, scaled to 244 images.
A worker of a sweep needs about 100 MiB more for Ray, and the pages of the cache it has mapped.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from antsbees.machine.allocator import ALLOCATOR_ENV

KS = (0, 1, 2, 3, 5, 7, 9)
BATCH, IMAGES, STEPS = 32, 244, 6


def jemalloc() -> Path:
    """Return the path of the jemalloc that Ray brings along.

    Raises:
        RuntimeError: There is no Ray.
    """
    found = importlib.util.find_spec("ray")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("ray is not installed")
    return Path(found.submodule_search_locations[0]) / "core" / "libjemalloc.so"


def environments() -> dict[str, dict[str, str]]:
    """Return the environment of each allocator that is compared."""
    glibc, jemalloc_conf = ALLOCATOR_ENV["GLIBC_TUNABLES"], ALLOCATOR_ENV["MALLOC_CONF"]
    return {
        "glibc as it comes": {},
        "glibc keeping": {"GLIBC_TUNABLES": glibc},
        "jemalloc giving back": {
            "LD_PRELOAD": str(jemalloc()),
            "MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0",
        },
        "jemalloc keeping (ours)": {"LD_PRELOAD": str(jemalloc()), "MALLOC_CONF": jemalloc_conf},
    }


def measure(k: int) -> None:
    """Train a few steps, and print what it took as JSON."""
    import torch

    from antsbees.config import Precision
    from antsbees.machine.devices import Execution, configure
    from antsbees.networks.backbones import load_backbone
    from benchmarks.compare.product import memory_bytes
    from benchmarks.studies.kernels import seconds

    configure(Execution())
    backbone = load_backbone("efficientnet_lite0")
    images = torch.randn(BATCH, 3, 224, 224).to(memory_format=torch.channels_last)
    best = seconds(backbone, k, images, Precision.BF16, STEPS)
    print(json.dumps({"epoch_s": best, "peak_bytes": memory_bytes("VmHWM")}))


def main() -> None:
    """Measure and print a Markdown table."""
    columns = environments()
    print(f"| k | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for k in KS:
        cells = []
        for environment in columns.values():
            told = subprocess.run(
                [sys.executable, "-m", "benchmarks.studies.memory", str(k)],
                env=os.environ | environment, check=True, capture_output=True, text=True,
            )  # fmt: skip
            found = json.loads(told.stdout)
            cells.append(f"{found['peak_bytes'] / 2**20:.0f} MiB, {found['epoch_s']:.2f} s")
        print(f"| {k} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    measure(int(sys.argv[1])) if len(sys.argv) > 1 else main()
