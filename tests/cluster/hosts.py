"""Hosts that share nothing but a network: Linux namespaces, with own names, mounts and caches."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
NET = "10.77.0"
SWITCH = "absw"
PORT = 6379
RAY_FOLDER = "/tmp/ray"  # where Ray writes unless it is told
TOKEN = "a-token-of-a-test-that-is-long-enough-0123456789"  # nobody else's


def why_not() -> str | None:
    """Return why hosts cannot be made here, if they cannot."""
    if os.environ.get("ANTSBEES_CLUSTER") != "1":
        return "takes minutes: set ANTSBEES_CLUSTER=1"
    if shutil.which("ip") is None:
        return "there is no ip (Debian: iproute2)"
    tried = subprocess.run(["unshare", "-n", "-m", "-u", "true"], capture_output=True)
    return None if tried.returncode == 0 else "namespaces cannot be made: not root"


def logged_in() -> dict[str, str]:
    """Return what a shell has in its environment: nothing of Ray's, and this program's folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return kept | {"OMP_NUM_THREADS": "1", "PATH": path}


@dataclass
class Host:
    """A host; its processes see its own network, name, processes, ``/dev/shm``, Ray and cache.

    Args:
        hidden: Folders that are empty on it.
    """

    number: int
    base: Path
    hidden: Sequence[Path] = ()
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _power: subprocess.Popen[bytes] | None = None
    _first: int | None = None

    @property
    def name(self) -> str:
        return f"abh{self.number}"

    @property
    def address(self) -> str:
        return f"{NET}.{self.number}"

    @property
    def cache(self) -> Path:
        return self.base / self.name / "cache"

    @property
    def home(self) -> Path:
        return self.base / self.name

    @property
    def environment(self) -> dict[str, str]:
        return logged_in() | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}

    def words(self, *command: str | Path, cwd: Path = ROOT) -> list[str]:
        """Return the words that run a command on this host, which is switched on if it is not."""
        if self._first is None:
            self._switch_on()
        where = f"HOME={self.home}", f"ANTSBEES_CACHE={self.cache}"
        return ["nsenter", "-t", str(self._first), "-n", "-m", "-u", "-p",
                "env", "-C", str(cwd), *where, *map(str, command)]  # fmt: skip

    def typed(self, line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Type a line in a shell of this host's, in which nothing was set before."""
        return subprocess.run(
            self.words("bash", "-c", line, cwd=cwd), env=logged_in(), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
        )  # fmt: skip

    def _switch_on(self) -> None:
        """Start its first process, with which all of its processes end."""
        prepare = [
            f"hostname {self.name}",
            f"mkdir -p {self.home}/ray {self.cache} {RAY_FOLDER}",
            "mount -t tmpfs none /dev/shm",
            f"mount --bind {self.home}/ray {RAY_FOLDER}",
            *(f"mount -t tmpfs none {shlex.quote(str(folder))}" for folder in self.hidden),
            "echo ready",
            "exec bash -c 'while sleep 5; do :; done'",  # reaps what others leave
        ]
        self._power = subprocess.Popen(
            ["ip", "netns", "exec", self.name, "unshare", "-m", "-u", "-p", "-f", "--mount-proc",
             "--kill-child", "sh", "-ec", "\n".join(prepare)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self._power.stdout is not None
        with self._power.stdout as said:
            assert said.readline() == b"ready\n"
        number = self._power.pid
        self._first = int(Path(f"/proc/{number}/task/{number}/children").read_text())

    def start_ray(self, num_cpus: int, head: Host | None = None) -> None:
        """Start Ray on it: the head, or a node of a head's."""
        where = [f"--address={head.address}:{PORT}"] if head else ["--head", f"--port={PORT}"]
        if head is None:
            where += ["--include-dashboard=false"]
        command = [
            sys.executable, "-m", "ray.scripts.scripts", "start", *where, "--block",
            f"--node-ip-address={self.address}", f"--num-cpus={num_cpus}",
            "--object-store-memory=100000000",
        ]  # fmt: skip
        with (self.base / f"{self.name}.log").open("ab") as log:
            self.processes.append(
                subprocess.Popen(self.words(*command), env=self.environment, stdout=log, stderr=log)
            )

    def kill(self) -> None:
        """End all of its processes at once, as when its power fails."""
        if self._first is not None and self._power is not None:
            os.kill(self._first, signal.SIGKILL)
            self._power.wait()
            self._first = None
        for process in self.processes:
            process.wait()
        self.processes.clear()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def hosts(count: int, hidden: Sequence[Path]) -> Iterator[list[Host]]:
    """Make hosts on one network; the first has all files, the others lack the hidden folders."""
    base = Path(tempfile.mkdtemp(prefix="ab", dir="/tmp"))
    made = [Host(n, base, hidden if n > 1 else ()) for n in range(1, count + 1)]
    try:
        _ip("netns", "add", SWITCH)
        _ip("-n", SWITCH, "link", "add", "br0", "type", "bridge")
        _ip("-n", SWITCH, "link", "set", "br0", "up")
        for host in made:
            _ip("netns", "add", host.name)
            _ip("link", "add", "eth0", "netns", host.name, "type", "veth", "peer",
                "name", f"p{host.number}", "netns", SWITCH)  # fmt: skip
            _ip("-n", SWITCH, "link", "set", f"p{host.number}", "master", "br0", "up")
            _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", "eth0")
            _ip("-n", host.name, "link", "set", "eth0", "up")
            _ip("-n", host.name, "link", "set", "lo", "up")
            _ip("-n", host.name, "route", "add", "default", "dev", "eth0")
        yield made
    finally:
        for host in made:
            with suppress(subprocess.CalledProcessError, FileNotFoundError):
                host.kill()
                _ip("netns", "del", host.name)
        with suppress(subprocess.CalledProcessError):
            _ip("netns", "del", SWITCH)
        shutil.rmtree(base, ignore_errors=True)
