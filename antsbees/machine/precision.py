"""Which precision measures fastest on this machine: timed once, then remembered in the cache."""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import torch
from filelock import FileLock
from torch import Tensor, nn

from antsbees.config import Precision
from antsbees.layers import LAYERS_VERSION
from antsbees.machine.devices import Execution, arithmetic
from antsbees.networks.backbones import Backbone
from antsbees.storage import publish_file, report_unusable

logger = logging.getLogger(__name__)

BATCH = 4  # images of a timed pass
MIN_PASSES, MAX_PASSES = 2, 6  # of each precision
ENOUGH_S = 0.5  # beyond MIN_PASSES, no further pass is started after this time
NEEDED_GAIN = 0.9  # bf16 is taken when it needs less than this share of the time of fp32


def resolve(
    execution: Execution, backbone: Backbone, k: int, image_size: int, folder: Path | None
) -> Execution:
    """Replace ``AUTO`` by what measures fastest for a backbone, k and device.

    The first call on a machine times both precisions; later ones read its answer, so that one
    machine always gives one answer. A head alone trains in fp32.

    Args:
        folder: Where answers are remembered; ``None`` measures every time.
    """
    inference = execution.inference_precision
    if inference is Precision.AUTO:
        inference = _remembered(
            folder,
            _key(execution, backbone, "inference", image_size),
            lambda: _fastest(_forward(execution, backbone, image_size)),
        )
    precision = execution.precision
    if precision is Precision.AUTO and k == len(backbone.stages):
        precision = Precision.FP32
    elif precision is Precision.AUTO:
        precision = _remembered(
            folder,
            _key(execution, backbone, f"k{k}", image_size),
            lambda: _fastest(_training_step(execution, backbone, k, image_size)),
        )
    return replace(execution, precision=precision, inference_precision=inference)


def _key(execution: Execution, backbone: Backbone, what: str, image_size: int) -> str:
    if execution.on_gpu:
        processor = execution.where.processor(execution.threads)
    else:
        processor = f"{platform.node()} {_cpu_model()} {execution.threads} threads"
    name = backbone.architecture.name
    layers = f"layers {LAYERS_VERSION}" if backbone.fast_layers else "torch's layers"
    return f"{processor}, torch {torch.__version__}, {layers}, {name} at {image_size}, {what}"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")


def _remembered(folder: Path | None, key: str, measure: Callable[[], Precision]) -> Precision:
    if folder is None:
        return measure()
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(FileLock(f"{path}.lock"))
        except OSError as error:
            report_unusable(folder, error)
        with suppress(OSError, ValueError, KeyError, TypeError):  # absent or damaged: measure
            return Precision(json.loads(path.read_text())["fastest"])
        fastest = measure()
        try:
            with publish_file(path) as partial:
                partial.write_text(json.dumps({"measured": key, "fastest": fastest}))
        except OSError as error:
            report_unusable(folder, error)
    logger.info("%s measures fastest for %s", fastest, key)
    return fastest


def _fastest(run: Callable[[Precision], None]) -> Precision:
    """Time passes in both precisions, alternating; the first of a precision is the slowest."""
    seconds = {Precision.FP32: float("inf"), Precision.BF16: float("inf")}
    began = time.perf_counter()
    for number in range(1, MAX_PASSES + 1):
        for precision in seconds:
            start = time.perf_counter()
            run(precision)
            seconds[precision] = min(seconds[precision], time.perf_counter() - start)
        if number >= MIN_PASSES and time.perf_counter() - began > ENOUGH_S:
            break
    gained = seconds[Precision.BF16] < NEEDED_GAIN * seconds[Precision.FP32]
    return Precision.BF16 if gained else Precision.FP32


def _frozen_output(execution: Execution, backbone: Backbone, k: int, x: Tensor) -> Tensor:
    with torch.no_grad():
        for stage in backbone.stages[:k]:
            x = stage.to(execution.device)(x)
    return x


def _images(execution: Execution, image_size: int, count: int) -> Tensor:
    x = torch.zeros(count, 3, image_size, image_size, device=execution.device)
    return x.to(memory_format=torch.channels_last)


def _forward(
    execution: Execution, backbone: Backbone, image_size: int
) -> Callable[[Precision], None]:
    """Return a forward pass through all stages."""
    x = _images(execution, image_size, BATCH)

    def run(precision: Precision) -> None:
        with arithmetic(execution.device, precision):
            _frozen_output(execution, backbone, len(backbone.stages), x)
        execution.where.wait()

    return run


def _training_step(
    execution: Execution, backbone: Backbone, k: int, image_size: int
) -> Callable[[Precision], None]:
    """Return a forward and a backward pass through the trained part, over random input."""
    one = _frozen_output(execution, backbone, k, _images(execution, image_size, 1))
    x = torch.rand(BATCH, *one.shape[1:], device=execution.device)
    x = x.to(memory_format=torch.channels_last) if x.dim() == 4 else x
    trained = backbone.trained_part(k, 2, seed=0).train().to(execution.device)
    labels = torch.zeros(BATCH, dtype=torch.long, device=execution.device)

    def run(precision: Precision) -> None:
        with arithmetic(execution.device, precision):
            logits = trained(x)
        nn.functional.cross_entropy(logits.float(), labels).backward()
        execution.where.wait()

    return run
