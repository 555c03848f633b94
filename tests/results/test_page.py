"""The page of columns, held against the columns."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from results import finals, schema
from results.page import COMMAND, page, type_in_words

PAGE = Path(__file__).parents[2] / "docs" / "columns.md"


def test_the_page_is_made_from_the_columns() -> None:
    assert PAGE.read_text() == page(), f"make it again: {COMMAND}"


def test_every_column_has_a_line_on_the_page() -> None:
    text = page()
    for columns, at_least in ((schema.COLUMNS, 62), (finals.COLUMNS, 12)):
        assert len(columns) >= at_least
        for name, known in columns.items():
            assert any(
                line.startswith(f"| `{name}` | {type_in_words(known.type)} |")
                and line.endswith(f"| {known.description} |")
                for line in text.splitlines()
            ), name


def test_a_type_without_a_word_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no word for the type binary"):
        type_in_words(pa.binary())
