"""The models in Apache Spark: on a cluster, whose executors read and write the Parquet files themselves.

LGS_SPARK_MASTER names the cluster, such as spark://host:7077. There is no default: Spark's own would be this process,
on all cores. Every other setting of Spark is in the files below SPARK_CONF_DIR; only what affects figures is set here.
The executors need no Python.

The differences between Spark and PostgreSQL are translated here, and only here:

| PostgreSQL | Spark |
|---|---|
| `numeric`, of any size | decimals of 38 digits: a value that does not fit is an error, by ANSI mode |
| a product has the places of both factors | likewise if precision may not be lost, which is not Spark's default |
| `a / b` and `avg(x)` are exact enough to be rounded | so is the quotient of two `decimal(38, 9)`: it has 18 places |
| `timestamp` has no zone, nor has `date_trunc` of it | the first by `timestampType`; the second by a cast |
| `concat` leaves NULLs out | `concat_ws` does |
| a bound time | its text: as a time, Spark would take it for one in this machine's zone |
| everything that is only spelt differently, and NULLs last in an order | by sqlglot |
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlglot
from sqlglot import exp

from lgs_assets.contracts.model import Value
from lgs_assets.errors import LgsError
from lgs_assets.lake.engine import ROW_GROUP, Source, View

if TYPE_CHECKING:  # an extra
    from pyspark.sql import DataFrame, SparkSession

FIGURES = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}
"""The settings of Spark that affect figures; no configuration file overrides them."""

# Tables in memory go to the executors, except small ones: otherwise the driver would compute on their rows by itself.
HANDED_OVER = {"spark.sql.execution.arrow.localRelationThreshold": "64KB"}


@dataclass(frozen=True)
class Spark:
    """The engine on a cluster. This process is its driver, which plans and sees only the results of `rows`."""

    master: str | None
    """Of the cluster: LGS_SPARK_MASTER."""

    def rows(self, select: str, inputs: Mapping[str, Source], parameters: Mapping[str, Value]) -> pa.Table:
        """See `Engine.rows`."""
        with _session(self.master, inputs) as session:
            return session.sql(_translated(select), _bound(parameters)).toArrow()

    def write(self, select: str, inputs: Mapping[str, Source], parameters: Mapping[str, Value], target: str) -> None:
        """See `Engine.write`."""
        with _session(self.master, inputs) as session:
            rows = session.sql(_translated(select), _bound(parameters))
            # By default a row group has 128 MiB, and no task reads less than one.
            rows.write.option("parquet.block.row.count.limit", ROW_GROUP).parquet(target, compression="zstd")


@contextmanager
def _session(master: str | None, inputs: Mapping[str, Source]) -> Iterator["SparkSession"]:
    """A separate session in this process's application, where the inputs are views."""
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise LgsError('Spark is not installed. Install it with: pip install "lgs-assets[spark]"') from error
    if not master:
        raise LgsError("Set LGS_SPARK_MASTER to the master of a cluster, such as spark://host:7077.")
    try:
        application = SparkSession.builder.master(master).appName("lgs").getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise LgsError(
            f"LGS_SPARK_MASTER: Spark cannot be started on {master}. Its own messages above say why: no answer from "
            "there, no Java 17 on this machine, or no way back to it for the executors."
        ) from error
    try:
        session = application.newSession()
        for name, value in (FIGURES | HANDED_OVER).items():
            session.conf.set(name, value)
        for name, source in inputs.items():
            _rows_of(session, source).createTempView(name)
        yield session
    except (PySparkException, Py4JError) as error:
        reason = str(error).partition("\n")[0]  # the plan follows
        raise LgsError(f"Spark cannot compute {', '.join(inputs) or 'this'}: {reason}") from error


def _rows_of(session: "SparkSession", source: Source) -> "DataFrame":
    if isinstance(source, pa.Table):
        return session.createDataFrame(source)
    if isinstance(source, View):
        return session.sql(_translated(source.select))
    return session.read.parquet(*source)


@cache
def _translated(select: str) -> str:
    """The SELECT as Spark reads it."""
    tree = sqlglot.parse_one(select, read="postgres")
    for node in reversed(list(tree.find_all(*_REWRITES))):  # inner ones first
        node.replace(_REWRITES[type(node)](node))
    return tree.sql("spark")


def _quotient(node: exp.Div | exp.Avg) -> exp.Expr:
    if isinstance(node, exp.Avg):
        dividend, divisor = exp.func("sum", node.this), exp.func("count", node.this)
    else:
        dividend, divisor = node.this, node.expression
    return exp.paren(exp.Div(this=exp.cast(dividend, "decimal(38, 9)"), expression=exp.cast(divisor, "decimal(38, 9)")))


def _without_zone(node: exp.TimestampTrunc) -> exp.Expr:
    return exp.cast(node.copy(), "timestamp")


def _concatenation(node: exp.Concat) -> exp.Expr:
    return exp.func("concat_ws", exp.Literal.string(""), *node.expressions, dialect="spark")


_REWRITES: dict[type[exp.Expr], Callable[[Any], exp.Expr]] = {
    exp.Div: _quotient,
    exp.Avg: _quotient,
    exp.TimestampTrunc: _without_zone,
    exp.Concat: _concatenation,
}


def _bound(parameters: Mapping[str, Value]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, datetime) else value for name, value in parameters.items()}
