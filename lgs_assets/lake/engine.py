"""Engines that run the models where the lines are: beside PostgreSQL, one module an engine. Knows no Dagster.

The seam is `Engine`: SELECTs in, rows or Parquet files out. An engine's differences from PostgreSQL are translated in
its own module, and nowhere else. What becomes of the rows, and which files make up a table, is not its concern.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import pyarrow as pa

from lgs_assets.contracts.model import Value


@dataclass(frozen=True)
class View:
    """The rows of a SELECT, without parameters, on the inputs before it."""

    select: str


Source: TypeAlias = pa.Table | Sequence[str] | View
"""A table to read: its rows in memory, the paths or URLs of the Parquet files that hold them in order, or a view."""

ROW_GROUP = 122_880
"""Rows in a Parquet row group: few enough that a reader of some days skips most groups."""


class Engine(Protocol):
    """Runs SELECTs in the SQL of `sql/models`: PostgreSQL's, with `:name` for a parameter.

    `inputs` are the tables that the SELECT reads, by name, with at least the columns that it reads. Their types are
    those of `arrow_schema`, so money is decimal(38, 6), and a text or a time is what it is in PostgreSQL. `parameters`
    are the values to bind, and perhaps others: None, bool, int, str, Decimal or datetime.
    Every number equals PostgreSQL's to the last digit; one that does not fit is an error.
    Both raise LgsError if the engine is unavailable, cannot read its inputs or cannot compute the rows.
    """

    def rows(self, select: str, inputs: Mapping[str, Source], parameters: Mapping[str, Value]) -> pa.Table:
        """The rows of a SELECT, in its order. Sizes of numbers may differ from the contract. Small results only."""

    def write(self, select: str, inputs: Mapping[str, Source], parameters: Mapping[str, Value], target: str) -> None:
        """Writes the rows of a SELECT as Parquet files into `target`, a folder or URL that does not exist yet.

        Memory is bounded. The rows keep the order of the SELECT, from file to file in the order of their names, in row
        groups with statistics. The columns have the types that the SELECT gives them; times are in microseconds,
        without a zone.
        """
