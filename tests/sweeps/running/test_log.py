"""What libraries say goes to the log, what this program says to the terminal."""

from __future__ import annotations

import inspect
import io
import logging
import os
import re
import sys
import threading
from pathlib import Path

import pytest
import ray

from sweeps.running.log import LOGGERS, RAYS_THREADS, logged


@pytest.mark.parametrize(("name", "descriptor"), [("stdout", 1), ("stderr", 2)])
def test_what_is_written_past_python_goes_to_the_log(
    name: str, descriptor: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "driver.log"
    with logged(log):
        os.write(descriptor, b"a line of C++\n")
        print("ours", file=getattr(sys, name))
        os.system(f"echo of a child >&{descriptor}")
    print("after", file=getattr(sys, name))
    seen = getattr(capfd.readouterr(), name[3:])
    assert seen == "ours\nafter\n"
    assert log.read_text() == "a line of C++\nof a child\n"


def test_a_stream_in_memory_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = io.StringIO()
    monkeypatch.setattr(sys, "stdout", memory)
    with logged(tmp_path / "driver.log"):
        print("ours")
    assert sys.stdout is memory
    assert memory.getvalue() == "ours\n"


def test_what_ray_s_own_threads_print_goes_to_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "driver.log"
    with logged(log):
        for name in ("ray_listen_error_messages", "the view's"):
            thread = threading.Thread(target=lambda: print("of a thread"), name=name)
            thread.start()
            thread.join()
    assert capfd.readouterr().out == "of a thread\n"
    assert log.read_text() == "of a thread\n"


def test_ray_names_its_threads_so() -> None:
    source = inspect.getsource(ray._private.worker)
    names = re.findall(r'name="(\w+)"', source)
    assert {"ray_listen_error_messages", "ray_print_logs"} <= set(names)
    assert all(name.startswith(RAYS_THREADS) for name in names if "listen" in name or "log" in name)


def test_the_loggers_of_libraries_go_to_the_log_and_are_put_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {name: logging.getLogger(name).handlers for name in LOGGERS}
    log = tmp_path / "driver.log"
    with logged(log):
        for name in LOGGERS:
            logging.getLogger(f"{name}.part").error("word of %s", name)
    assert {name: logging.getLogger(name).handlers for name in LOGGERS} == before
    assert [line.rpartition(" ")[2] for line in log.read_text().splitlines()] == list(LOGGERS)
    assert capfd.readouterr().err == ""


def test_an_exception_leaves_the_descriptors_as_they_were(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    open_before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    with pytest.raises(KeyboardInterrupt), logged(tmp_path / "driver.log"):
        raise KeyboardInterrupt
    os.write(2, b"back\n")
    assert capfd.readouterr().err == "back\n"
    if open_before:
        assert len(os.listdir("/proc/self/fd")) == open_before
