"""The page that describes every column of every table, made from their declarations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from results import finals, schema
from results.columns import Column

COMMAND = "make docs"
_HEAD = f"""# Columns

Made from `results/schema.py` and `results/finals.py` by `{COMMAND}`.
Empty cells of a row say that it has no such thing: a setting of a choice that was not made, or a
column that an older version did not know.

"""
_WORDS = {
    pa.types.is_boolean: "true or false",
    pa.types.is_integer: "whole number",
    pa.types.is_floating: "number",
    pa.types.is_string: "text",
    pa.types.is_timestamp: "time, UTC",
}


def page() -> str:
    """Write the page in Markdown."""
    tables = (
        ("The leaderboard", "`runs/leaderboard/<sweep>/*.parquet`, a row for each trial",
         schema.SCHEMA_VERSION, schema.COLUMNS),
        ("The finals", "A row for each fold of each repeat of each finalist",
         finals.SCHEMA_VERSION, finals.COLUMNS),
    )  # fmt: skip
    sections = []
    for title, what, version, columns in tables:
        lines = [f"## {title}", "", f"{what}; version {version} of its columns.", ""]
        sections.append("\n".join([*lines, *_groups(columns)]).rstrip() + "\n")
    return _HEAD + "\n".join(sections)


def _groups(columns: Mapping[str, Column]) -> Iterator[str]:
    for group in dict.fromkeys(known.group for known in columns.values()):
        yield from (
            f"### {group}",
            "",
            "| column | type | unit | what it is |",
            "|---|---|---|---|",
        )
        for name, known in columns.items():
            if known.group == group:
                cells = (f"`{name}`", type_in_words(known.type), known.unit, known.description)
                yield f"| {' | '.join(cells)} |".replace("|  |", "| |")
        yield ""


def type_in_words(kind: pa.DataType) -> str:
    """Name a type for people."""
    if pa.types.is_list(kind):
        return f"list of {type_in_words(kind.value_type)}"
    if pa.types.is_struct(kind):
        return f"({', '.join(f'`{inner.name}`' for inner in kind)})"
    for is_kind, words in _WORDS.items():
        if is_kind(kind):
            return words
    raise ValueError(f"there is no word for the type {kind}")
