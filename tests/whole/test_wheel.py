"""What is installed is all that is needed: the wheel works without the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.whole

ROOT = Path(__file__).parents[2]
ROOMS = ("antsbees", "results", "sweeps")


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed, and return what it printed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    for room in ROOMS:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / room, folder / "source" / room, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "./source", cwd=folder)
    return next(folder.glob("antsbees-*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it; what it depends on is lent by the one of the tests.

    Lent without the files that would lead back to the checkout: a path in a ``.pth`` file is put on
    the module path, and ``.pth`` files in that folder are not read.
    """
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    variables = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", vars=variables))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    python = folder / "bin" / "python"
    run(*pip, "--python", python, "install", "--no-deps", wheel, cwd=folder)
    lent = [path for path in sys.path if Path(path).name == "site-packages"]
    (packages / "lent.pth").write_text("\n".join(lent))
    return folder


def test_the_wheel_holds_every_module_and_every_file_of_data(wheel: Path) -> None:
    sources = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith(ROOMS)}
    assert len(sources) > 70
    assert packed - {n for n in packed if ".dist-info/" in n} == sources


def test_commands_run_from_the_wheel_alone(environment: Path, tmp_path: Path) -> None:
    antsbees, python = environment / "bin" / "antsbees", environment / "bin" / "python"
    where = run(python, "-c", "import antsbees, sweeps; print(sweeps.__file__)", cwd=tmp_path)
    assert where.startswith(str(environment))
    assert "Usage: antsbees" in run(antsbees, "--help", cwd=tmp_path)
    shipped = (ROOT / "sweeps" / "configs" / "spec.schema.json").read_text()
    assert run(antsbees, "schema", cwd=tmp_path).strip() == shipped.strip()
