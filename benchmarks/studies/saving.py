"""Ways to keep less for the backward pass, side by side: ``python -m benchmarks.studies.saving``.

The trained part of efficientnet_lite0 in bfloat16, one thread, 32 random images, and our depthwise
convolutions in all ways: what a forward pass keeps, the most that a step holds at once, and its
seconds of CPU, the best of three. First each way is held to the gradients of the plain layers.
"""

from __future__ import annotations

import copy
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.profiler import profile
from torch.utils.checkpoint import checkpoint

from antsbees.config import Precision
from antsbees.layers.batchnorm import is_batch_norm_relu6
from antsbees.layers.depthwise import DepthwiseConv2d, is_square_depthwise
from antsbees.layers.pointwise import FEW_CHANNELS, is_pointwise
from antsbees.layers.replace import speed_up
from antsbees.machine.allocator import keep_freed_memory
from antsbees.machine.devices import Execution, arithmetic, configure
from antsbees.networks.backbones import Backbone, load_backbone
from benchmarks.studies.kernels import frozen_output

BATCH, STEPS = 32, 3


@contextmanager
def _no_statistics(part: nn.Module) -> Iterator[None]:
    """Leave running statistics alone: a batch that is computed again was counted before."""
    layers = [m for m in part.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    yield
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


class Checkpointed(nn.Sequential):
    """Layers of which only the input is kept; they are run again in the backward pass."""

    def forward(self, input: Tensor) -> Tensor:
        """Run the layers."""
        again = lambda: (nullcontext(), _no_statistics(self))  # noqa: E731
        run = super().forward
        y = checkpoint(run, input, use_reentrant=False, preserve_rng_state=False, context_fn=again)
        return cast(Tensor, y)


class _Kept:
    """What is kept for one activation: itself, or how it is computed, as often as it is asked."""

    def __init__(self, value: Tensor | None, compute: Callable[[], Tensor] | None = None) -> None:
        self.value, self.compute, self.users = value, compute, 0

    @property
    def is_taken(self) -> bool:
        return self.value is None and self.compute is None

    def take(self) -> Tensor:
        self.users -= 1
        value = self.look()
        if self.users == 0:
            self.value = self.compute = None
        return value

    def look(self) -> Tensor:
        if self.value is None:
            if self.compute is None:
                raise RuntimeError("it was taken already")
            with torch.no_grad():
                self.value = self.compute()
        return self.value


def _place(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


class Hooked:
    """Keeps, by hooks on saved tensors, recipes in the place of what can be computed again."""

    def __init__(self, network: nn.Module) -> None:
        self._known: dict[int, _Kept] = {}
        for layer in network.modules():
            if is_batch_norm_relu6(layer):
                layer.act = nn.ReLU6()  # in place, PyTorch keeps a copy that is nobody's output
                layer.register_forward_pre_hook(self._began)
                layer.act.register_forward_hook(self._clamped)
            elif is_pointwise(layer) and layer.in_channels <= min(
                FEW_CHANNELS, layer.out_channels - 1
            ):
                layer.register_forward_hook(self._widened)

    def saving(self) -> saved_tensors_hooks:
        """Return the context of a forward pass."""
        return saved_tensors_hooks(self._pack, _Kept.take)

    def _pack(self, tensor: Tensor) -> _Kept:
        place = _place(tensor)
        kept = None if isinstance(tensor, nn.Parameter) else self._known.get(place)
        if kept is None or kept.is_taken:
            kept = _Kept(tensor)
            self._know(tensor, kept)
        kept.users += 1
        return kept

    def _know(self, tensor: Tensor, kept: _Kept) -> None:
        """Know an activation by its place in memory, until that may be another's."""
        self._known[_place(tensor)] = kept
        weakref.finalize(tensor, self._known.pop, _place(tensor), None)

    def _replace(self, y: Tensor, compute: Callable[[], Tensor]) -> _Kept:
        """Keep how an activation is computed, also where it was kept already, by its maker."""
        kept = self._known.get(_place(y)) or _Kept(None)
        kept.value, kept.compute = None, compute  # the place may be forgotten here
        self._know(y, kept)
        return kept

    def _began(self, layer: Any, inputs: tuple[Tensor]) -> None:
        x, weight, bias, eps = inputs[0].detach(), layer.weight, layer.bias, layer.eps
        kept = self._known.get(_place(x))
        source = kept if kept is not None and kept.compute is not None else _Kept(x)
        terms = None, None, weight.detach(), bias.detach()
        self._normalised = lambda: F.batch_norm(source.look(), *terms, training=True, eps=eps)

    def _clamped(self, layer: Any, inputs: tuple[Tensor], y: Tensor) -> None:
        z = self._replace(inputs[0], self._normalised)
        self._replace(y, lambda: z.look().clamp(0, 6))

    def _widened(self, layer: Any, inputs: tuple[Tensor], y: Tensor) -> None:
        x, weight, dtype = inputs[0].detach(), layer.weight.detach(), y.dtype
        self._replace(y, lambda: F.conv2d(x.to(dtype), weight.to(dtype)))


Forward = Callable[[Tensor], Tensor]


def plain(part: nn.Sequential) -> Forward:
    """Keep what PyTorch keeps."""
    return part


def hooked(part: nn.Sequential) -> Forward:
    """Keep recipes in the place of what saved-tensor hooks are given."""
    hooks = Hooked(part)

    def forward(x: Tensor) -> Tensor:
        with hooks.saving():
            return cast(Tensor, part(x))

    return forward


def checkpointed_blocks(part: nn.Sequential) -> Forward:
    """Keep the inputs of stages."""
    *stages, head = part
    return nn.Sequential(*(Checkpointed(stage) for stage in stages), head)


def checkpointed_layers(part: nn.Sequential) -> Forward:
    """Keep the inputs of BatchNorm, not its outputs: it is run again with the next convolution."""
    for block in list(part.modules()):
        layers = [(n, m) for n, m in block.named_children() if not isinstance(m, nn.Identity)]
        for (norm, first), (convolution, second) in pairwise(layers):
            if is_batch_norm_relu6(first) and isinstance(second, nn.Conv2d):
                setattr(block, convolution, Checkpointed(first, second))
                setattr(block, norm, nn.Identity())
    return part


def ours(part: nn.Sequential) -> Forward:
    """Keep recipes in layers of our own."""
    speed_up(part)
    return part


WAYS: dict[str, Callable[[nn.Sequential], Forward]] = {
    "PyTorch's layers": plain,
    "ours": ours,
    "saved_tensors_hooks": hooked,
    "checkpoint, BatchNorm with the next convolution": checkpointed_layers,
    "checkpoint, each stage": checkpointed_blocks,
}


def trained_part(backbone: Backbone, k: int) -> nn.Sequential:
    """Return a trained part of PyTorch's layers, but for depthwise convolutions, which are ours."""
    part = backbone.trained_part(k, 2, seed=0).train()
    for parent in list(part.modules()):
        for name, layer in list(parent.named_children()):
            if is_square_depthwise(layer):
                same = type(layer).__name__ == "Conv2dSame"
                setattr(parent, name, DepthwiseConv2d(layer, same))
    return part


def gradients(part: nn.Sequential, way: Callable[[nn.Sequential], Forward], x: Tensor) -> list[Any]:
    """Return the gradients of a step in float32, and the running statistics after it."""
    part = copy.deepcopy(part)
    parameters = list(part.parameters())
    statistics = [b for name, b in part.named_buffers() if "running" in name]
    way(part)(x).square().sum().backward()
    return [*(p.grad for p in parameters), *statistics]


def kept_and_peak(forward: Forward, x: Tensor) -> tuple[float, float]:
    """Return the MiB that a forward pass leaves, and the most at once in it and the backward."""
    with profile(profile_memory=True) as recorded:
        with arithmetic("cpu", Precision.BF16):
            logits = forward(x)
        forward_ended_ns = time.time_ns()
        logits.float().sum().backward()
    held = kept = peak = 0
    for event in sorted(recorded.profiler.kineto_results.events(), key=lambda e: e.start_ns()):
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
            kept = held if event.start_ns() < forward_ended_ns else kept
    return kept / 2**20, peak / 2**20


def step_s(forward: Forward, x: Tensor) -> float:
    """Return the seconds of a forward and a backward pass, the best after a first one."""
    labels, best = torch.zeros(BATCH, dtype=torch.long), float("inf")
    for number in range(STEPS + 1):
        start = time.process_time()
        with arithmetic("cpu", Precision.BF16):
            logits = forward(x)
        F.cross_entropy(logits.float(), labels).backward()
        if number:
            best = min(best, time.process_time() - start)
    return best


def main() -> None:
    """Measure and print a Markdown table."""
    keep_freed_memory()
    configure(Execution())
    backbone = load_backbone("efficientnet_lite0", fast_layers=False)
    part, small = trained_part(backbone, 0), torch.randn(4, 3, 64, 64)
    expected = gradients(part, plain, small)
    for way in WAYS.values():
        torch.testing.assert_close(gradients(part, way, small), expected, rtol=1e-3, atol=1e-3)
    images = torch.randn(BATCH, 3, 224, 224).to(memory_format=torch.channels_last)
    print("| k | way | MiB kept | MiB at most | s a step |\n|---|---|---|---|---|")
    for k in (5, 0):
        x = frozen_output(backbone, k, images)
        for name, way in WAYS.items():
            forward = way(trained_part(backbone, k))
            kept, peak = kept_and_peak(forward, x)
            print(
                f"| {k} | {name} | {kept:.0f} | {peak:.0f} | {step_s(forward, x):.2f} |", flush=True
            )


if __name__ == "__main__":
    main()
