"""Which backbones can be named, and what a wrong name is answered."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import timm

import antsbees
from antsbees.errors import ConfigError
from antsbees.networks.catalog import ARCHITECTURES, architecture


def test_every_name_leads_to_its_own_entry() -> None:
    assert len(ARCHITECTURES) >= 8
    for name, entry in ARCHITECTURES.items():
        assert architecture(name) is entry
        assert entry.name == name
        assert entry.num_stages >= 2
        assert entry.width > 0
        assert 224 <= entry.image_size <= 260
        assert all(0 < value < 1 for value in (*entry.mean, *entry.std))


@pytest.mark.parametrize(("number", "image_size"), [(0, 224), (1, 240), (2, 260)])
def test_networks_with_weights_as_packages_are_known_as_their_maker_describes_them(
    number: int, image_size: int
) -> None:
    """The maker's settings are those in timm's own configuration of the network."""
    name = f"efficientnet_lite{number}"
    entry, published = architecture(name), timm.get_pretrained_cfg(f"tf_{name}")
    assert (entry.num_stages, entry.width, entry.image_size) == (9, 1280, image_size)
    assert published.input_size == (3, image_size, image_size)
    assert (entry.mean, entry.std) == (published.mean, published.std)


def test_a_near_miss_is_answered_with_the_name_meant() -> None:
    with pytest.raises(ConfigError) as refused:
        architecture("resnet-18")
    assert str(refused.value) == (
        "unknown backbone 'resnet-18'; did you mean resnet18? known backbones: "
        f"{', '.join(ARCHITECTURES)}"
    )


def test_a_far_miss_is_answered_with_all_names() -> None:
    with pytest.raises(ConfigError, match=r"^unknown backbone 'x'; known backbones: efficientnet"):
        architecture("x")


def test_a_size_after_the_name_is_what_the_network_sees() -> None:
    plain, larger = architecture("efficientnet_lite2"), architecture("efficientnet_lite2@520")
    assert (larger.name, larger.network) == ("efficientnet_lite2@520", "efficientnet_lite2")
    assert (larger.image_size, larger.giga_macs) == (520, 4 * plain.giga_macs)
    assert (larger.num_stages, larger.accuracy) == (plain.num_stages, plain.accuracy)
    assert plain.network == plain.name


@pytest.mark.parametrize("size", ["", "0320", "31", "1025", "big", "-64", "6.5", "64@64"])
def test_what_is_no_size_is_refused(size: str) -> None:
    with pytest.raises(ConfigError, match=r"after @ comes the edge of the images in pixels, 32 to"):
        architecture(f"resnet18@{size}")


def test_a_near_miss_with_a_size_is_answered_too() -> None:
    with pytest.raises(
        ConfigError, match=r"unknown backbone 'resnet-18@64'; did you mean resnet18"
    ):
        architecture("resnet-18@64")


def test_the_catalog_and_the_configuration_are_read_without_torch() -> None:
    code = "import sys, antsbees.config, antsbees.schedules; print('torch' in sys.modules)"
    root = Path(antsbees.__file__).parents[1]
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, cwd=root, text=True).strip() == "False"
