"""Where pre-trained weights come from: a family's own source, or a file the user names."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from antsbees.errors import WeightsError
from antsbees.networks.families import Family

StateDict = dict[str, Tensor]


def load_weights(network: nn.Module, name: str, weights: str, family: Family) -> None:
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
    else:
        family.fill(network, name)


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
