"""The models in DuckDB: in this process, on tables in memory or on Parquet files, without a database.

The differences between DuckDB and PostgreSQL are translated here, and only here:

| PostgreSQL | DuckDB |
|---|---|
| `numeric`, of any size | decimals of 38 digits: a value that does not fit is an error |
| `a / b` and `avg(x)` are exact enough to be rounded | they are doubles, so `quotient` takes their place |
| `:name` | `$name`; this and everything else that is only spelt differently, by sqlglot |
"""

import atexit
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pyarrow as pa
import sqlglot
from sqlglot import exp
from upath import UPath

from lgs_assets.contracts.model import Value
from lgs_assets.errors import LgsError
from lgs_assets.lake.engine import ROW_GROUP, Source, View

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Cut off after nine places. Rounded to fewer, as the models do, this is the true quotient rounded once, half away from
# zero; half of a sum of money is exact in nine places. A value that is too large is an error.
QUOTIENT = """
create macro quotient(a, b) as
    cast(
        cast(cast(a as decimal(38, 9)) * 1000000000 as hugeint) * 1000000000
        // cast(cast(b as decimal(38, 9)) * 1000000000 as hugeint)
        as decimal(38, 0)
    ) * 0.000000001
"""

SHARE_OF_MEMORY = 0.25
"""The rest is for PostgreSQL, Dagster and the file cache. Data that does not fit goes to disk."""

FILE = "lines.parquet"
"""A table is one file: DuckDB keeps the order of rows within a file, and reads its row groups in parallel."""


class DuckDB:
    """The engine in this process: every core, and the memory and the disk of one machine."""

    def rows(self, select: str, inputs: Mapping[str, Source], parameters: Mapping[str, Value]) -> pa.Table:
        """See `Engine.rows`."""
        query, values = _translated(select, parameters)
        with _session(inputs) as connection:
            return connection.sql(query, params=values).to_arrow_table()

    def write(self, select: str, inputs: Mapping[str, Source], parameters: Mapping[str, Value], target: str) -> None:
        """See `Engine.write`."""
        query, values = _translated(select, parameters)
        with _session(inputs, target) as connection:
            if "://" not in target:
                Path(target).mkdir(parents=True)
            connection.execute(
                f"copy ({query}) to {_quoted(f'{target}/{FILE}')} "
                f"(format parquet, compression zstd, row_group_size {ROW_GROUP})",
                values,
            )


@contextmanager
def _session(inputs: Mapping[str, Source], *targets: str) -> Iterator["DuckDBPyConnection"]:
    """A connection to which the inputs are views, for itself alone."""
    import duckdb  # here: most commands do without it

    places = [*targets, *(url for source in inputs.values() for url in _files(source))]
    with _database(frozenset(UPath(url).fs for url in places if "://" in url)).cursor() as connection:
        try:
            for name, source in inputs.items():
                if isinstance(source, pa.Table):
                    connection.register(name, source)
                elif isinstance(source, View):
                    connection.execute(f"create temp view {name} as {_translated(source.select, {})[0]}")
                else:
                    files = ", ".join(map(_quoted, source))
                    connection.execute(f"create temp view {name} as select * from read_parquet([{files}])")
            yield connection
        except duckdb.Error as error:
            raise LgsError(f"DuckDB cannot compute {', '.join(inputs) or 'this'}: {error}") from error


@cache
def _database(reached: frozenset[Any]) -> "DuckDBPyConnection":
    """An empty database in memory, which lasts as long as the process: to make one takes longer than many a SELECT.

    It reads and writes also what these drivers of fsspec reach. What does not fit in memory goes to a temporary folder.
    """
    import duckdb

    folder = tempfile.TemporaryDirectory(prefix="lgs-duckdb-")
    atexit.register(folder.cleanup)
    connection = duckdb.connect()
    memory = psutil.virtual_memory().total // 2**20 * SHARE_OF_MEMORY
    connection.execute(
        f"set timezone = 'UTC'; set memory_limit = '{memory:.0f} MiB'; "
        f"set temp_directory = {_quoted(folder.name)}; {QUOTIENT}"
    )
    connection.execute("select current_setting('enable_progress_bar')")
    if connection.fetchall() == [(True,)]:  # in Jupyter there is none, and setting it would be an error
        connection.execute("set enable_progress_bar = false")
    for driver in reached:
        connection.register_filesystem(driver)
    return connection


def _files(source: Source) -> list[str]:
    return [] if isinstance(source, pa.Table | View) else list(source)


def _quoted(text: str) -> str:
    return exp.Literal.string(text).sql("duckdb")


def _translated(select: str, parameters: Mapping[str, Value]) -> tuple[str, dict[str, Any]]:
    """The SELECT as DuckDB reads it, and the parameters that it has."""
    query, bound = _in_duckdb(select)
    return query, {name: value for name, value in parameters.items() if name in bound}


@cache
def _in_duckdb(select: str) -> tuple[str, set[str]]:
    """The SELECT as DuckDB reads it, and the names of its parameters."""
    tree = sqlglot.parse_one(select, read="postgres")
    for node in reversed(list(tree.find_all(exp.Div, exp.Avg))):  # inner ones first
        node.replace(_quotient(node))
    return tree.sql("duckdb"), {placeholder.name for placeholder in tree.find_all(exp.Placeholder)}


def _quotient(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Avg):
        return exp.func("quotient", exp.func("sum", node.this), exp.func("count", node.this))
    return exp.func("quotient", node.this, node.expression)
