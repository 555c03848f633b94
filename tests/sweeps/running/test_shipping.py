"""Photographs reach nodes that lack them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from antsbees.data.datasets import Dataset
from antsbees.data.folder import read_folder
from sweeps.running import shipping
from sweeps.running.shipping import ImagesDifferError, Part, images_here, ship

GB = 2**30


@pytest.fixture
def dataset(tiny_folder: Path, tmp_path: Path) -> Dataset:
    """Images that can be taken away."""
    shutil.copytree(tiny_folder, tmp_path / "driver" / "tiny")
    return read_folder(tmp_path / "driver" / "tiny")


class Store:
    """As much of Ray's object store as images need."""

    def __init__(self) -> None:
        self.kept: list[Part] = []
        self.num_fetched = 0

    def put(self, part: Part) -> int:
        self.kept.append(part)
        return len(self.kept) - 1

    def get(self, reference: int) -> Part:
        self.num_fetched += 1
        return self.kept[reference]


def test_images_travel_once_to_a_node_that_lacks_them(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "PART_BYTES", 20_000)
    store = Store()
    sent = ship(dataset, GB, store.put)
    assert len(sent.parts) > 1
    shutil.rmtree(dataset.root)
    cache = tmp_path / "cache"
    here = images_here(dataset, sent, cache, store.get)
    assert here.root.parent == cache / "images"
    assert read_folder(here.root).fingerprint == dataset.fingerprint
    assert (here.train.labels, here.val.labels) == (dataset.train.labels, dataset.val.labels)
    assert images_here(dataset, sent, cache, store.get) == here
    assert store.num_fetched == len(sent.parts)
    here.train.paths[0].write_bytes(b"damaged")
    assert images_here(dataset, sent, cache, store.get) == here
    assert store.num_fetched == 2 * len(sent.parts)


def test_nothing_travels_where_the_same_images_lie_under_the_same_path(dataset: Dataset) -> None:
    store = Store()
    assert images_here(dataset, ship(dataset, GB, store.put), None, store.get) is dataset
    assert store.num_fetched == 0


def test_more_than_the_cap_does_not_travel_and_the_alternatives_are_told(dataset: Dataset) -> None:
    sent = ship(dataset, 1000, Store().put)
    assert sent.parts == ()
    shutil.rmtree(dataset.root)
    with pytest.raises(ImagesDifferError) as caught:
        images_here(dataset, sent, None, Store().get)
    assert "this node does not have the driver's images in" in str(caught.value)
    assert "(travel_gb): put them under that path on every machine, or raise" in str(caught.value)


def test_what_arrives_otherwise_than_it_was_sent_is_not_used(
    dataset: Dataset, tmp_path: Path
) -> None:
    store = Store()
    sent = ship(dataset, GB, store.put)
    store.kept[0][0] = (store.kept[0][0][0], b"another")
    shutil.rmtree(dataset.root)
    with pytest.raises(ImagesDifferError, match="did not arrive as they were sent"):
        images_here(dataset, sent, tmp_path, store.get)


def test_without_a_shipment_a_node_says_what_it_lacks(dataset: Dataset) -> None:
    gone = replace(dataset.train, paths=(dataset.root / "train" / "ants" / "gone.png",))
    with pytest.raises(ImagesDifferError, match=r"does not have the driver's images .*gone\.png"):
        images_here(replace(dataset, train=gone), None, None, Store().get)
