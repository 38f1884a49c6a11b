"""The models in DuckDB: in this process, on tables in memory, without a database.

The SELECT and the contract are those of PostgreSQL. What DuckDB has otherwise is translated here, and only here:

| PostgreSQL | DuckDB |
|---|---|
| `numeric`, of any size | `decimal(38, 15)`: what does not fit is an error |
| `a / b` and `avg(x)` are exact enough to be rounded | they are doubles, so `quotient` takes their place |
| `:name` | `$name`; this and all that is but spelt otherwise, by sqlglot |
"""

from collections.abc import Mapping

import pyarrow as pa
import sqlglot
from sqlglot import exp

from lgs_assets.errors import ContractError, LgsError
from lgs_assets.warehouse.declaration import declaration
from lgs_assets.warehouse.model import Model

# Money has six places, and its product with the fraction of a quantile, which has nine, fifteen.
NUMERIC = "decimal(38, 15)"

# Cut off after nine places. Rounded to fewer, as the models do, that is the true quotient rounded once, half away from
# zero; half of a sum of money is whole in nine. A value that is too large for it is an error.
QUOTIENT = """
create macro quotient(a, b) as
    cast(
        cast(cast(a as decimal(38, 9)) * 1000000000 as hugeint) * 1000000000
        // cast(cast(b as decimal(38, 9)) * 1000000000 as hugeint)
        as decimal(38, 0)
    ) * 0.000000001
"""

PRIMARY_KEY = """
select array_to_string(constraint_column_names, ', ')
from duckdb_constraints()
where table_name = ? and constraint_type = 'PRIMARY KEY'
"""


def compute(table: str, model: Model, inputs: Mapping[str, pa.Table]) -> pa.Table:
    """The rows of a table that a model makes of its inputs, in the order of the primary key; numbers are exact.

    The inputs are the tables of `model.reads`, with at least those columns, typed as `arrow_schema` says; decimals may
    have other sizes, as those of a result have.
    Raises ContractError if rows break the contract, LgsError if DuckDB is not there or cannot compute them.
    """
    try:
        import duckdb
    except ImportError as error:
        raise LgsError('DuckDB is not installed. Install it with: pip install "lgs-assets[duckdb]"') from error
    with duckdb.connect() as connection:
        for name, rows in inputs.items():
            connection.register(name, rows)
        connection.execute(QUOTIENT)
        connection.execute(declaration(table).transform(_sized).sql("duckdb"))
        select = sqlglot.parse_one(model.select, read="postgres").transform(_exact).sql("duckdb")
        try:
            connection.execute(f"insert into {table} {select}", model.parameters)
        except duckdb.ConstraintException as error:
            raise ContractError(f"{table}: {error}") from error
        except duckdb.Error as error:
            raise LgsError(f"{table} cannot be computed by DuckDB: {error}") from error
        ((key,),) = connection.execute(PRIMARY_KEY, [table]).fetchall()
        return connection.sql(f"select * from {table} order by {key}").to_arrow_table()


def _sized(node: exp.Expr) -> exp.Expr:
    is_numeric = isinstance(node, exp.DataType) and node.is_type(exp.DType.DECIMAL)
    return exp.DataType.build(NUMERIC) if is_numeric else node


def _exact(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.Div():
            return exp.func("quotient", node.this, node.expression)
        case exp.Avg():
            return exp.func("quotient", exp.func("sum", node.this), exp.func("count", node.this))
    return node
