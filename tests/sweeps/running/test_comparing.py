"""Other versions on another machine are told."""

from __future__ import annotations

from sweeps.running.comparing import Versions
from sweeps.running.messages import Facts


def facts(node: str, versions: str | None) -> Facts:
    return Facts(started_at_s=0.0, node=node, worker_pid=1, library_versions=versions)


def test_a_difference_is_one_sentence_for_each_machine() -> None:
    versions = Versions("python 3.11.7, torch 2.9.0, timm 1.0")
    assert versions.differ(facts("n1", "python 3.11.7, torch 2.9.0, timm 1.0")) is None
    assert versions.differ(facts("n2", None)) is None
    assert versions.differ(facts("n2", "python 3.11.7, torch 2.8.1, timm 1.0")) == (
        "n2 has torch 2.8.1, and this machine torch 2.9.0: the last bits of scores may differ"
    )
    assert versions.differ(facts("n2", "python 3.11.7, torch 2.8.1, timm 1.0")) is None


def test_this_machine_is_no_different_from_itself() -> None:
    from antsbees.machine.versions import library_versions

    assert Versions().differ(facts("n1", library_versions("ray", "optuna"))) is None
