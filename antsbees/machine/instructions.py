"""Which instructions of the CPU the arithmetic uses: others give other last bits."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import torch

EXTENSIONS: Mapping[str, Callable[[], bool]] = {
    "vnni": torch.cpu._is_vnni_supported,
    "bf16": torch.cpu._is_avx512_bf16_supported,
    "amx": torch.cpu._is_amx_tile_supported,
}
"""What oneDNN uses beyond the vectors that torch's own kernels use."""

CAPS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
"""Variables by which users keep oneDNN from using all that the CPU has."""


def instruction_set() -> str:
    """Name it, such as ``AVX512-bf16-amx``, with a cap that the environment sets."""
    named = [torch.backends.cpu.get_cpu_capability()]
    named += [name for name, is_supported in EXTENSIONS.items() if is_supported()]
    named += [f"max{os.environ[name]}" for name in CAPS if name in os.environ]
    return "-".join(named)
