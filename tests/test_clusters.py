"""The files for clusters are what their readers expect, and the page names each."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import ray
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "clusters"
FILES = sorted(FOLDER.iterdir())


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def test_every_file_is_on_the_page() -> None:
    page = (ROOT / "docs" / "clusters.md").read_text()
    assert len(FILES) == 4
    assert [f.name for f in FILES if f"(../examples/clusters/{f.name})" not in page] == []


@pytest.mark.parametrize("name", ["slurm.sh", "submit.sh"])
def test_a_script_is_shell(name: str) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run([bash, "-n", FOLDER / name], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_recipe_switches_the_token_on() -> None:
    for file in FILES:
        text = file.read_text()
        assert "RAY_AUTH_MODE=token" in text or "mode: token" in text, file.name


def test_the_job_on_kubernetes_has_workers_with_and_without_a_gpu() -> None:
    claim, job = documents("rayjob.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    groups = {group["groupName"]: group for group in cluster["workerGroupSpecs"]}
    limits = {
        name: group["template"]["spec"]["containers"][0]["resources"]["limits"]
        for name, group in groups.items()
    }
    assert {name: "nvidia.com/gpu" in limit for name, limit in limits.items()} == {
        "cpu": False, "gpu": True
    }  # fmt: skip
    (volume,) = cluster["headGroupSpec"]["template"]["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


def test_the_cluster_by_ssh_has_only_keys_that_ray_knows() -> None:
    (cluster,) = documents("ray-up.yaml")
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    assert set(schema["required"]) <= set(cluster)
    assert set(cluster) <= set(schema["properties"])
    assert set(cluster["provider"]) <= set(schema["properties"]["provider"]["properties"]) | {
        "head_ip", "worker_ips"
    }  # fmt: skip
