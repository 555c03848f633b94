"""What the tensor cache promises to the processes that share it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer

import pytest
import torch
from torch import Tensor

import antsbees
from antsbees.frozen.cache import HEADER_BYTES, TensorCache, Usage

ROOM = 10**9
FILE_BYTES = HEADER_BYTES + 1000


@pytest.fixture
def cache(tmp_path: Path) -> TensorCache:
    return TensorCache(tmp_path / 'it\'s a "cache" é', ROOM)


def kilo(value: int) -> Tensor:
    return torch.full((1000,), value, dtype=torch.uint8)


def store(cache: TensorCache, key: str, tensor: Tensor) -> None:
    with cache.filling(key, tensor.shape, tensor.dtype) as stored:
        stored.copy_(tensor)


def loaded(cache: TensorCache, key: str = "key") -> Tensor:
    found = cache.load(key)
    assert found is not None
    return found


def file_of(cache: TensorCache, key: str) -> Path:
    return cache.folder / f"{key}.tensor"


def used_at(cache: TensorCache, key: str, seconds: int) -> None:
    os.utime(file_of(cache, key), (seconds, seconds))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bfloat16, torch.float32])
def test_what_is_stored_is_loaded(cache: TensorCache, dtype: torch.dtype) -> None:
    tensor = (torch.randn(4, 3, 5) * 50).to(dtype)
    store(cache, "folder/key", tensor)
    found = loaded(cache, "folder/key")
    assert found.dtype == dtype
    assert torch.equal(found, tensor)


def test_a_tensor_that_is_not_contiguous_comes_back_with_the_same_values(
    cache: TensorCache,
) -> None:
    tensor = torch.randn(2, 3, 4, 5).permute(0, 2, 3, 1)
    store(cache, "key", tensor)
    assert torch.equal(loaded(cache), tensor)


def test_an_absent_key_is_none(cache: TensorCache) -> None:
    assert cache.load("nothing") is None


def test_storing_again_replaces(cache: TensorCache) -> None:
    store(cache, "key", kilo(1))
    held = loaded(cache)
    store(cache, "key", kilo(2))
    assert torch.equal(loaded(cache), kilo(2))
    assert torch.equal(held, kilo(1))


def test_writing_to_a_loaded_tensor_does_not_reach_the_file(cache: TensorCache) -> None:
    store(cache, "key", kilo(1))
    loaded(cache).fill_(9)
    assert torch.equal(loaded(cache), kilo(1))


@pytest.mark.parametrize("length", [0, 1, HEADER_BYTES - 1, HEADER_BYTES, FILE_BYTES - 1])
def test_a_truncated_file_is_removed_and_never_served(cache: TensorCache, length: int) -> None:
    store(cache, "key", kilo(1))
    file = file_of(cache, "key")
    file.write_bytes(file.read_bytes()[:length])
    assert cache.load("key") is None
    assert not file.exists()


def test_a_flipped_byte_is_never_served(
    cache: TensorCache, caplog: pytest.LogCaptureFixture
) -> None:
    """In the header's text as in the payload; the spaces that fill the header carry nothing."""
    store(cache, "key", kilo(1))
    file = file_of(cache, "key")
    good = file.read_bytes()
    text = len(good[:HEADER_BYTES].rstrip())
    places = [*range(text), HEADER_BYTES, HEADER_BYTES + 500, len(good) - 1]
    failures = []
    for place in places:
        for flip in (0x01, 0x80):
            file.write_bytes(good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :])
            try:
                served = cache.load("key")
            except Exception as error:
                failures.append(f"byte {place} ^ {flip}: {type(error).__name__}: {error}")
                continue
            if served is not None and not torch.equal(served, kilo(1)):
                failures.append(f"byte {place} ^ {flip}: served")
    assert len(places) > 40
    assert failures == []
    assert f"{file} is damaged" in caplog.text
    assert "will be computed again" in caplog.text


def test_the_file_used_longest_ago_goes_first(cache: TensorCache) -> None:
    small = TensorCache(cache.folder, 3 * FILE_BYTES)
    for number in range(3):
        store(small, f"key{number}", kilo(number))
        used_at(small, f"key{number}", 1000 + number)
    small.load("key0")  # the use makes it the newest
    store(small, "key3", kilo(3))
    present = [n for n in range(4) if file_of(small, f"key{n}").exists()]
    assert present == [0, 2, 3]
    assert small.usage() == Usage(3, 3 * FILE_BYTES)


@pytest.mark.parametrize("hold", ["tensor", "slice"])
def test_a_file_in_use_is_never_evicted(cache: TensorCache, hold: str) -> None:
    small = TensorCache(cache.folder, 2 * FILE_BYTES)
    store(small, "held", kilo(7))
    tensor = loaded(small, "held")
    held = tensor if hold == "tensor" else tensor[10:20]
    del tensor
    used_at(small, "held", 0)
    for number in range(3):
        store(small, f"key{number}", kilo(number))
        used_at(small, f"key{number}", 1000 + number)
    assert file_of(small, "held").exists()
    assert small.usage().num_files == 2
    assert int(held.min()) == 7
    del held
    store(small, "one more", kilo(0))
    assert not file_of(small, "held").exists()


def test_a_filling_that_fails_publishes_and_leaves_nothing(cache: TensorCache) -> None:
    with pytest.raises(KeyboardInterrupt), cache.filling("key", (10,), torch.uint8):
        raise KeyboardInterrupt
    assert list(cache.folder.iterdir()) == []


def test_a_file_being_filled_is_not_taken_for_abandoned(cache: TensorCache) -> None:
    with cache.filling("slow", (1000,), torch.uint8) as filled:
        (partial,) = cache.folder.glob(".*")
        os.utime(partial, (1000, 1000))
        store(cache, "another", kilo(2))
        filled.fill_(3)
    assert torch.equal(loaded(cache, "slow"), kilo(3))
    assert file_of(cache, "slow").stat().st_mtime > 1000


def test_what_a_killed_process_left_unfinished_is_deleted(cache: TensorCache) -> None:
    """Unless it is young, or being filled."""
    store(cache, "key", kilo(1))
    left = [file_of(cache, name) for name in (".old.key", ".held.key", ".young.key")]
    for file in left:
        file.write_bytes(b"x")
    for file in left[:2]:
        os.utime(file, (1000, 1000))
    with left[1].open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        store(cache, "another", kilo(2))
        assert [file.exists() for file in left] == [False, True, True]
    assert cache.usage().num_files == 2
    assert cache.clear() == Usage(3, 2 * FILE_BYTES + 1)
    assert [file.exists() for file in left] == [False, False, True]


def test_loading_and_letting_go_leaks_no_descriptors(cache: TensorCache) -> None:
    store(cache, "key", kilo(1))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        cache.load("key")
        cache.load("nothing")
    assert len(os.listdir("/proc/self/fd")) == before


def test_clear_deletes_all_but_what_is_in_use(cache: TensorCache) -> None:
    for number in range(3):
        store(cache, f"folder/key{number}", kilo(number))
    held = loaded(cache, "folder/key1")
    assert cache.usage() == Usage(3, 3 * FILE_BYTES)
    assert cache.clear() == Usage(2, 2 * FILE_BYTES)
    assert cache.usage() == Usage(1, FILE_BYTES)
    assert torch.equal(held, kilo(1))


def test_a_cache_that_does_not_exist_yet_is_empty(cache: TensorCache) -> None:
    assert cache.usage() == cache.clear() == Usage(0, 0)


def test_a_file_deleted_while_it_is_being_opened_is_no_error(cache: TensorCache) -> None:
    """Another process makes room between this one's open and its lock."""
    store(cache, "key", kilo(1))
    file = file_of(cache, "key")
    with file.open("rb") as other, ThreadPoolExecutor(1) as pool:
        fcntl.flock(other, fcntl.LOCK_EX)
        loading = pool.submit(cache.load, "key")  # waits for the lock

        def delete_and_let_go() -> None:
            file.unlink()
            fcntl.flock(other, fcntl.LOCK_UN)

        timer = Timer(0.2, delete_and_let_go)
        timer.start()
        timer.join()
        loaded = loading.result(timeout=5)
    assert loaded is None or torch.equal(loaded, kilo(1))


@pytest.fixture(params=["a file in its place", "read-only", "another user's files"])
def unusable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TensorCache]:
    """A cache that holds a tensor, and can no longer be used."""
    cache = TensorCache(tmp_path / "unusable", ROOM)
    if request.param == "a file in its place":
        cache.folder.write_text("something else")
        yield cache
        return
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    store(cache, "folder/key", kilo(1))
    with cache.computing("folder/key"):
        pass
    tmp_path.chmod(0o755)
    if request.param == "another user's files":
        for path in cache.folder.rglob("*.*"):
            path.chmod(0o600)
        for folder in (cache.folder, cache.folder / "folder"):
            folder.chmod(0o777)
    for folder in tmp_path.parents:
        if folder.is_relative_to(Path(tempfile.gettempdir())) and folder != Path("/tmp"):
            folder.chmod(0o755)
    os.seteuid(65534)
    yield cache
    os.seteuid(0)


def is_readable(path: Path) -> bool:
    try:
        return bool(path.read_bytes())
    except OSError:
        return False


def test_an_unusable_folder_holds_nothing_and_is_reported_once(
    unusable: TensorCache, caplog: pytest.LogCaptureFixture
) -> None:
    """Readable files of another user are of use all the same."""
    readable = unusable.has("folder/key") and is_readable(file_of(unusable, "folder/key"))
    for key in ("folder/key", "folder/key", "other/key"):
        with unusable.computing(key):
            found = unusable.load(key)
        assert (found is not None) == (readable and key == "folder/key")
    assert unusable.usage().num_files <= 1
    unusable.clear()
    reports = [message for message in caplog.messages if "which cannot be used" in message]
    assert len(reports) == 1
    assert str(unusable.folder) in reports[0]


SECOND = """
import sys
import tempfile
from pathlib import Path
from antsbees.frozen.cache import TensorCache
cache = TensorCache(Path(sys.argv[1]), 10**9)
print("absent" if cache.load("key") is None else "present", flush=True)
with cache.computing("key"):
    tensor = cache.load("key")
    print("to be computed" if tensor is None else int(tensor.sum()))
"""


@pytest.mark.whole  # several processes
def test_two_processes_compute_a_key_once(cache: TensorCache) -> None:
    """The second comes while the first computes, waits, and finds the result."""
    root = Path(antsbees.__file__).parents[1]
    command = [sys.executable, "-c", SECOND, str(cache.folder)]
    with cache.computing("key"):
        second = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
        assert second.stdout is not None
        assert second.stdout.readline() == "absent\n"
        store(cache, "key", kilo(5))
    assert second.communicate(timeout=60)[0] == "5000\n"
