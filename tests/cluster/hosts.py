"""Hosts that share nothing but a network: Linux namespaces, with own names, mounts and caches."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
NET = "10.77.0"
SWITCH = "absw"
PORT = 6379
TOKEN = "a-token-of-a-test-that-is-long-enough-0123456789"  # nobody else's


def why_not() -> str | None:
    """Return why hosts cannot be made here, if they cannot."""
    if os.environ.get("ANTSBEES_CLUSTER") != "1":
        return "takes minutes: set ANTSBEES_CLUSTER=1"
    if shutil.which("ip") is None:
        return "there is no ip (Debian: iproute2)"
    tried = subprocess.run(["unshare", "-n", "-m", "-u", "true"], capture_output=True)
    return None if tried.returncode == 0 else "namespaces cannot be made: not root"


@dataclass
class Host:
    """A host; its processes see its own network, name, ``/dev/shm``, Ray folder and cache.

    Args:
        hidden: Folders that are empty on it.
    """

    number: int
    base: Path
    hidden: Sequence[Path] = ()
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

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
    def environment(self) -> dict[str, str]:
        own = {
            "ANTSBEES_CACHE": str(self.cache), "HOME": str(self.base / self.name),
            "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "OMP_NUM_THREADS": "1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        return {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"} | own

    def words(self, *command: str | Path) -> list[str]:
        """Return the words that run a command on this host."""
        own, ray = self.base / self.name, self.base / "ray"
        prepare = [
            f"hostname {self.name}",
            "mount -t tmpfs none /dev/shm",
            f"mkdir -p {own}/ray {self.cache}",
            f"mount --bind {own}/ray {ray}",
            *(f"mount -t tmpfs none {shlex.quote(str(folder))}" for folder in self.hidden),
            "exec " + " ".join(shlex.quote(str(word)) for word in command),
        ]
        inside = ["unshare", "-m", "-u", "sh", "-ec", "\n".join(prepare)]
        return ["ip", "netns", "exec", self.name, *inside]

    def start_ray(self, num_cpus: int, head: Host | None = None) -> None:
        """Start Ray on it: the head, or a node of a head's."""
        where = [f"--address={head.address}:{PORT}"] if head else ["--head", f"--port={PORT}"]
        if head is None:
            where += ["--include-dashboard=false", f"--temp-dir={self.base / 'ray'}"]
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
        for _ in range(3):
            found = subprocess.run(
                ["ip", "netns", "pids", self.name], capture_output=True, text=True
            )
            for number in map(int, found.stdout.split()):
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            time.sleep(0.2)
        for process in self.processes:
            process.wait()
        self.processes.clear()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def hosts(count: int, hidden: Sequence[Path]) -> Iterator[list[Host]]:
    """Make hosts on one network; the first has all files, the others lack the hidden folders."""
    base = Path(tempfile.mkdtemp(prefix="ab", dir="/tmp"))
    (base / "ray").mkdir()
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
        yield made
    finally:
        for host in made:
            with suppress(subprocess.CalledProcessError, FileNotFoundError):
                host.kill()
                _ip("netns", "del", host.name)
        with suppress(subprocess.CalledProcessError):
            _ip("netns", "del", SWITCH)
        shutil.rmtree(base, ignore_errors=True)
