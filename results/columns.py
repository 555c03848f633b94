"""How the columns of a Parquet table are declared: on the fields of the record of its rows."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

VERSION_KEY = "antsbees_schema_version"

NUMBER = pa.float64()
COUNT = pa.int64()
TEXT = pa.string()
FLAG = pa.bool_()
TIME = pa.timestamp("us", tz="UTC")

FRACTION, NATS, SECONDS = "fraction", "nats", "seconds"


@dataclass(frozen=True)
class Column:
    """What is known of a column of a Parquet table."""

    group: str
    type: pa.DataType
    description: str
    unit: str = ""


def column(about: Column, **default: Any) -> Any:
    """Declare a field of a record as a column; without a ``default`` it is required."""
    return field(**default, metadata={"column": about})


def columns_of(record: type[DataclassInstance]) -> dict[str, Column]:
    """Return the columns of a class of records, by name."""
    return {f.name: f.metadata["column"] for f in fields(record)}


def arrow_schema(record: type[DataclassInstance], version: int) -> pa.Schema:
    """Return the Arrow schema of a class of records; files carry its version."""
    types = [(name, known.type) for name, known in columns_of(record).items()]
    return pa.schema(types, metadata={VERSION_KEY: str(version)})
