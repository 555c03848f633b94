"""What the drawn ants-and-bees set promises."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from antsbees.data.synthetic import drawing as synthetic
from antsbees.data.synthetic.drawing import CLASSES, COUNTS, draw, write

SIZE = 48


def pixels(class_name: str = "ants", split: str = "train", index: int = 0, seed: int = 0) -> bytes:
    return draw(class_name, split, index, seed=seed, size=SIZE).tobytes()


def mean_colours(class_name: str, split: str, count: int) -> NDArray[np.float64]:
    """Mean colour of each image, (count, 3)."""
    images = [draw(class_name, split, index, size=SIZE) for index in range(count)]
    return np.array([np.asarray(image).mean(axis=(0, 1)) for image in images])


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


@pytest.mark.parametrize("class_name", CLASSES)
def test_the_same_arguments_give_the_same_pixels(class_name: str) -> None:
    assert pixels(class_name) == pixels(class_name)


def test_another_process_draws_the_same_pixels() -> None:
    code = (
        "import sys, zlib; from antsbees.data.synthetic.drawing import draw;"
        f"print(zlib.crc32(draw('bees', 'val', 3, seed=5, size={SIZE}).tobytes()))"
    )
    root = Path(synthetic.__file__).parents[1]
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(printed) == 1


def test_each_argument_changes_the_pixels() -> None:
    drawn = {
        pixels(),
        pixels(class_name="bees"),
        pixels(split="val"),
        pixels(index=1),
        pixels(seed=1),
    }
    assert len(drawn) == 5


@pytest.mark.parametrize("size", [32, 65])
def test_an_image_is_rgb_and_as_large_as_asked(size: int) -> None:
    image = draw("bees", "val", 0, size=size)
    assert (image.mode, image.size) == ("RGB", (size, size))


def test_an_image_is_256_pixels_wide_unless_told_otherwise() -> None:
    assert draw("ants", "train", 0).size == (256, 256)


def test_an_unknown_class_is_named_in_the_message() -> None:
    with pytest.raises(ValueError, match=r"class_name must be one of .*'ants'.*, got 'wasps'"):
        draw("wasps", "train", 0)


def test_an_unknown_split_is_named_in_the_message() -> None:
    with pytest.raises(ValueError, match=r"split must be one of .*'train'.*, got 'test'"):
        draw("ants", "test", 0)


def test_the_default_set_is_about_as_large_as_that_of_the_photographs() -> None:
    assert dict(COUNTS) == {"train": 120, "val": 75}
    assert len(CLASSES) * sum(COUNTS.values()) == 390


def test_write_lays_images_out_by_split_and_class(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "set"
    write(folder, size=SIZE, counts={"train": 3, "val": 2})
    written = files_below(folder)
    assert len(written) == 10
    assert written == sorted(
        f"{split}/{class_name}/{index:04d}.jpg"
        for split, count in (("train", 3), ("val", 2))
        for class_name in CLASSES
        for index in range(count)
    )


def test_a_written_image_is_the_drawn_one_up_to_compression(tmp_path: Path) -> None:
    write(tmp_path / "set", seed=4, size=SIZE, counts={"val": 1})
    with Image.open(tmp_path / "set" / "val" / "bees" / "0000.jpg") as image:
        read = np.asarray(image, dtype=float)
    drawn = np.asarray(draw("bees", "val", 0, seed=4, size=SIZE), dtype=float)
    assert np.abs(read - drawn).mean() < 12


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write(folder, size=SIZE, counts={"train": 1})
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*.jpg")}
    write(folder, seed=1, size=SIZE, counts={"train": 2})
    after = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*.jpg")}
    assert len(before) == 2
    assert after == before


def test_write_leaves_nothing_but_the_set(tmp_path: Path) -> None:
    write(tmp_path / "set", size=SIZE, counts={"train": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="split must be one of"):
        write(tmp_path / "set", size=SIZE, counts={"train": 1, "test": 1})
    assert list(tmp_path.iterdir()) == []


def test_mean_colour_does_not_give_the_class_away() -> None:
    centres = np.array([mean_colours(name, "train", 20).mean(axis=0) for name in CLASSES])
    hits = []
    for label, name in enumerate(CLASSES):
        for colour in mean_colours(name, "val", 30):
            nearest = np.linalg.norm(centres - colour, axis=1).argmin()
            hits.append(nearest == label)
    assert len(hits) == 60
    assert np.mean(hits) < 0.7
