"""The contracts where no database holds them: the types and the order of a table's rows, and the judge of its rules.

All of it is read from the CREATE TABLE that PostgreSQL runs, so no rule is written twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from lgs_assets.contracts.declaration import declaration
from lgs_assets.errors import ContractError
from lgs_assets.lake.engine import Engine, Source

# Money has six places; no sum of it comes near 32 digits before the point.
NUMERIC = "decimal(38, 6)"
SHOWN_ROWS = 5

# What Arrow and Parquet decide by their types: decimals have six places, and no time is infinite.
_DECIDED = {"scale": exp.Literal.number(6), "isfinite": exp.true()}


@dataclass(frozen=True)
class _Rule:
    """A rule of a contract."""

    stated: str
    columns: tuple[str, ...]
    broken: str
    """The condition that rows which break it meet; empty for a key, which no row breaks alone."""


def in_order(table: str, select: str) -> str:
    """The rows of a SELECT in the order of the primary key of the table."""
    return f"select * from (\n{select}\n) as model order by {', '.join(primary_key(table))}"


def as_declared(table: str, select: str) -> str:
    """The rows of a SELECT in the types of the contract, `numeric` in six places, and in the order of the key."""
    columns = ", ".join(f"cast({column.name} as {_type(column)}) as {column.name}" for column in _columns(table))
    return f"select {columns} from (\n{select}\n) as model order by {', '.join(primary_key(table))}"


def judge(engine: Engine, table: str, source: Source) -> None:
    """Raises ContractError if rows break the contract of the table: with the rule, how many rows, and some of them."""
    rules, keys, inputs = list(_rules(table)), _keys(table), {table: source}
    counts = ", ".join(f"count(case when {rule.broken} then 1 end) as rule_{i}" for i, rule in enumerate(rules))
    (broken,) = engine.rows(f"select {counts} from {table}", inputs, {}).to_pylist()
    for rule, count in zip(rules, broken.values(), strict=True):
        if count:
            _refuse(engine, table, source, rule, int(count), rule.broken)
    for key in keys:
        names = ", ".join(key)
        repeated = f"select {names} from {table} group by {names} having count(*) > 1"
        (found,) = engine.rows(f"select count(*) as found from ({repeated}) as repeated", inputs, {}).to_pylist()
        if found["found"]:
            rule = _Rule(f"UNIQUE ({names})", key, "")
            _refuse(engine, table, source, rule, int(found["found"]), f"({names}) in ({repeated})")


def primary_key(table: str) -> tuple[str, ...]:
    """The columns of the primary key, in its order."""
    return _keys(table)[0]


def _refuse(engine: Engine, table: str, source: Source, rule: _Rule, count: int, condition: str) -> None:
    key = ", ".join(primary_key(table))
    select = f"select * from {table} where {condition} order by {key} limit {SHOWN_ROWS}"
    examples = engine.rows(select, {table: source}, {}).to_pylist()
    shown = "\n".join("  " + ", ".join(f"{k}={v!s}" for k, v in row.items()) for row in examples)
    where = ", ".join(rule.columns)
    raise ContractError(f"{table}, column {where}: {count:,} rows break the rule {rule.stated}, among them\n{shown}")


def _columns(table: str) -> list[exp.ColumnDef]:
    return list(declaration(table).find_all(exp.ColumnDef))


def _type(column: exp.ColumnDef) -> str:
    kind = column.args["kind"]
    return NUMERIC if kind.is_type(exp.DType.DECIMAL) else str(kind.sql("postgres"))


def _rules(table: str) -> Iterator[_Rule]:
    """What each row must meet by itself."""
    required = {name for key in _keys(table)[:1] for name in key}
    for column in _columns(table):
        if column.name in required or column.find(exp.NotNullColumnConstraint):
            yield _Rule("NOT NULL", (column.name,), f"{column.name} is null")
    for check in declaration(table).find_all(exp.CheckColumnConstraint):
        names = tuple(dict.fromkeys(column.name for column in check.this.find_all(exp.Column)))
        condition = check.this.transform(_decided).sql("postgres")
        yield _Rule(f"CHECK ({check.this.sql('postgres')})", names, f"not ({condition})")


def _keys(table: str) -> list[tuple[str, ...]]:
    """The primary key, then whatever else is unique."""
    primary: list[tuple[str, ...]] = []
    unique: list[tuple[str, ...]] = []
    for column in _columns(table):
        if column.find(exp.PrimaryKeyColumnConstraint):
            primary.append((column.name,))
        if column.find(exp.UniqueColumnConstraint):
            unique.append((column.name,))
    for part in declaration(table).this.expressions:
        match part:
            case exp.PrimaryKey():
                primary.append(tuple(name.name for name in part.expressions))
            case exp.UniqueColumnConstraint():
                unique.append(tuple(name.name for name in part.this.expressions))
    return primary + unique


def _decided(node: exp.Expr) -> exp.Expr:
    return _DECIDED[node.name].copy() if isinstance(node, exp.Anonymous) and node.name in _DECIDED else node
