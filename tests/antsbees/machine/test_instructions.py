"""The name of the instruction set tells apart what gives other last bits."""

from __future__ import annotations

import pytest
import torch

from antsbees.machine import instructions
from antsbees.machine.instructions import CAPS, instruction_set


def test_it_names_what_torch_and_onednn_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "EXTENSIONS", {"vnni": lambda: False, "bf16": lambda: True})
    for name in CAPS:
        monkeypatch.delenv(name, raising=False)
    assert instruction_set() == f"{torch.backends.cpu.get_cpu_capability()}-bf16"


@pytest.mark.parametrize("name", CAPS)
def test_a_cap_of_the_users_changes_the_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name, raising=False)
    plain = instruction_set()
    monkeypatch.setenv(name, "AVX512_CORE")
    assert instruction_set() == f"{plain}-maxAVX512_CORE"


def test_torch_answers_for_every_extension() -> None:
    """They are private functions of torch's."""
    answers = [is_supported() for is_supported in instructions.EXTENSIONS.values()]
    assert len(answers) == 3
    assert set(answers) <= {True, False}
