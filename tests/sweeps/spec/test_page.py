"""The page of the spec knows every key, and is the one that the models make."""

from __future__ import annotations

from pathlib import Path

from antsbees.hyperparameters import HYPERPARAMETERS
from sweeps.spec.entries import Model
from sweeps.spec.models import Cache, Lanes, Search, SweepSpec
from sweeps.spec.page import page

PAGE = Path(__file__).parents[3] / "docs" / "spec.md"


def test_the_page_is_the_one_that_the_models_make() -> None:
    assert PAGE.read_text() == page(), "run make docs"


def test_every_key_is_on_the_page() -> None:
    text = page()
    parts: dict[str, type[Model]] = {"search.": Search, "cache.": Cache}
    parts |= {f"lanes.{kind}.": type(lane) for kind, lane in Lanes()}
    assert {"lanes.cpu.", "lanes.gpu."} <= set(parts)
    keys = [
        key for key in SweepSpec.model_fields if key not in ("search", "lanes", "cache", "space")
    ]
    for prefix, model in parts.items():
        keys += [f"{prefix}{name}" for name in model.model_fields]
    keys += list(HYPERPARAMETERS)
    assert len(keys) > 40
    assert [key for key in keys if f"| `{key}` |" not in text] == []
