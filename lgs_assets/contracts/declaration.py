"""The contracts, parsed: the columns, keys and rules that each CREATE TABLE of `sql/tables` declares.

They are read without a database, from the script that PostgreSQL runs, so nothing is declared twice.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from lgs_assets.contracts.contract import Column, contract, tables
from lgs_assets.contracts.types import declared_type, type_of

if TYPE_CHECKING:
    import pyarrow as pa

# Rules that the types of Arrow and Parquet enforce: decimals have six places, and no time is infinite.
_DECIDED = {"scale": exp.Literal.number(6), "isfinite": exp.true()}


@dataclass(frozen=True)
class Rule:
    """A rule for each row by itself."""

    stated: str
    """As errors quote it."""
    columns: tuple[str, ...]
    broken: str
    """The condition that is true of rows that break it."""


@dataclass(frozen=True)
class _Contract:
    create: exp.Create
    comments: dict[str, str]
    """By column; that of the table itself under the empty name."""

    @cached_property
    def columns(self) -> list[exp.ColumnDef]:
        return list(self.create.find_all(exp.ColumnDef))


@cache
def _parsed(script: str) -> _Contract:
    statements = sqlglot.parse(script, read="postgres")
    return _Contract(
        create=next(tree for tree in statements if isinstance(tree, exp.Create)),
        comments={
            tree.this.name if isinstance(tree.this, exp.Column) else "": tree.expression.name
            for tree in statements
            if isinstance(tree, exp.Comment)
        },
    )


def _of(table: str) -> _Contract:
    return _parsed(contract(table))


def description(table: str) -> str:
    """The comment on a table."""
    return _of(table).comments[""]


def columns(table: str) -> list[Column]:
    """The columns of a table, in order, as PostgreSQL's catalog would describe them."""
    declared, required = _of(table), set(primary_key(table))
    return [
        Column(
            name=column.name,
            type=declared_type(column.args["kind"].sql("postgres").lower()),
            nullable=column.name not in required and not column.find(exp.NotNullColumnConstraint),
            description=declared.comments[column.name],
        )
        for column in declared.columns
    ]


def declared_types(*names: str) -> dict[str, dict[str, str]]:
    """The type of each column of the given tables, or of all: the schema for resolving SELECTs."""
    return {table: {column.name: column.type for column in columns(table)} for table in names or tables()}


def arrow_schema(table: str) -> "pa.Schema":
    """The columns of a table in Arrow's exact types; a field is nullable where the column may be NULL."""
    import pyarrow as pa  # here: see `types`

    return pa.schema(pa.field(column.name, type_of(column).exact, column.nullable) for column in columns(table))


def primary_key(table: str) -> tuple[str, ...]:
    """The columns of the primary key, in its order. Every table has one."""
    return keys(table)[0]


def keys(table: str) -> list[tuple[str, ...]]:
    """The primary key, then all other unique keys."""
    declared = _of(table)
    primary: list[tuple[str, ...]] = []
    unique: list[tuple[str, ...]] = []
    for column in declared.columns:
        if column.find(exp.PrimaryKeyColumnConstraint):
            primary.append((column.name,))
        if column.find(exp.UniqueColumnConstraint):
            unique.append((column.name,))
    for part in declared.create.this.expressions:
        match part:
            case exp.PrimaryKey():
                primary.append(tuple(name.name for name in part.expressions))
            case exp.UniqueColumnConstraint():
                unique.append(tuple(name.name for name in part.this.expressions))
    return primary + unique


def rules(table: str) -> list[Rule]:
    """The rules for each row by itself: required values, then the CHECKs."""
    required = [
        Rule("NOT NULL", (column.name,), f"{column.name} is null") for column in columns(table) if not column.nullable
    ]
    return required + [_rule(check.this) for check in _of(table).create.find_all(exp.CheckColumnConstraint)]


def in_order(table: str, select: str) -> str:
    """The SELECT with its rows in the order of the table's primary key."""
    return f"select * from (\n{select}\n) as model order by {', '.join(primary_key(table))}"


def as_declared(table: str, select: str) -> str:
    """The SELECT with its rows in the types of the contract, `numeric` to six places, and in the order of the key."""
    cast = ", ".join(
        f"cast({column.name} as {type_of(column).cast or column.type}) as {column.name}" for column in columns(table)
    )
    return f"select {cast} from (\n{select}\n) as model order by {', '.join(primary_key(table))}"


def _rule(condition: exp.Expr) -> Rule:
    names = tuple(dict.fromkeys(column.name for column in condition.find_all(exp.Column)))
    broken = f"not ({condition.transform(_decided).sql('postgres')})"
    return Rule(f"CHECK ({condition.sql('postgres')})", names, broken)


def _decided(node: exp.Expr) -> exp.Expr:
    return _DECIDED[node.name].copy() if isinstance(node, exp.Anonymous) and node.name in _DECIDED else node
