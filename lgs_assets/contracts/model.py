"""What to build: tables by name, and the SELECTs that build one from others. Runs nothing."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Self, TypeAlias

import sqlalchemy as sa

from lgs_assets import places

Value: TypeAlias = bool | int | str | Decimal | datetime | None
"""A value that can be bound in a SELECT."""


@dataclass(frozen=True)
class Relation:
    """A table that stays in the warehouse: only its name travels, and the version that it had."""

    name: str
    version: str = ""
    """Tells the table, as it was when handed over, from any other state of it; empty if it is not known."""


@dataclass(frozen=True, init=False)
class Model:
    """One SELECT of `sql/models`, the tables that it reads and the values of its parameters.

    A relation says by its name which table of the SELECT it is. A parameter of the SELECT, such as `:ties`, is the
    setting of that name: `bound_to` gives it its value.
    """

    file: str
    inputs: tuple[Relation, ...] = ()
    parameters: dict[str, Value] = field(default_factory=dict)

    def __init__(self, file: str, *inputs: Relation) -> None:
        object.__setattr__(self, "file", file)
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "parameters", {})

    def bound_to(self, settings: Mapping[str, Value]) -> Self:
        """The model with a value for each of its parameters. Raises KeyError if there is no such setting."""
        bound = copy(self)
        object.__setattr__(bound, "parameters", {name: settings[name] for name in parameters_of(self.select)})
        return bound

    def reading(self, versions: Mapping[str, str]) -> Self:
        """The model with these versions of its tables; empty where none is given."""
        read = copy(self)
        inputs = (Relation(relation.name, versions.get(relation.name, "")) for relation in self.inputs)
        object.__setattr__(read, "inputs", tuple(inputs))
        return read

    @property
    def select(self) -> str:
        """The SELECT, with `:name` for each parameter."""
        return (places.SQL / "models" / self.file).read_text()

    @property
    def reads(self) -> dict[str, set[str]]:
        """The columns that the SELECT reads, by table."""
        return columns_read(self.select)


@dataclass(frozen=True, init=False)
class InvoiceModel(Model):
    """A model that builds an invoice's rows, at least one, from the lines of that invoice in one table.

    So its table need not be rebuilt in full when only some invoices change. Both tables have the columns `invoice_no`
    and `dump`. Besides the lines it may read the ledger of dumps, whose order does not change unless dumps do.
    Raises ValueError if it is given no table of lines, or several.
    """

    def __init__(self, file: str, *inputs: Relation) -> None:
        super().__init__(file, *inputs)
        if len(self.inputs) != 1:
            raise ValueError(f"{file} has to read one table of lines; it was given {len(self.inputs)}")

    @property
    def source(self) -> str:
        """The table of lines."""
        return self.inputs[0].name


def model_path(table: str) -> Path:
    """Where the SELECT of a table is, if a SELECT builds it."""
    return places.SQL / "models" / f"{table}.sql"


def seed_path(table: str) -> Path:
    """Where the rows of a table are, if they are written by hand."""
    return places.SQL / "seeds" / f"{table}.csv"


def parameters_of(select: str) -> list[str]:
    """The names that a SELECT binds, `name` for each `:name`, in alphabetical order."""
    return sorted(sa.text(select).compile().params)


@cache
def columns_read(select: str) -> dict[str, set[str]]:
    """The columns that a SELECT reads, by table."""
    # Imported here: running a SELECT does not require parsing it.
    import sqlglot
    from sqlglot import exp
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import traverse_scope

    from lgs_assets.contracts.declaration import declared_types

    read: dict[str, set[str]] = {}
    tree = sqlglot.parse_one(select, read="postgres")
    for scope in traverse_scope(qualify(tree, schema=dict(declared_types()), dialect="postgres")):
        for source in scope.sources.values():
            if isinstance(source, exp.Table):
                columns = {column.name for column in scope.source_columns(source.alias_or_name)}
                read.setdefault(source.name, set()).update(columns)
    return read


def tables_in(select: str) -> set[str]:
    """The names of the tables that a SELECT reads, including those that it defines itself."""
    import sqlglot
    from sqlglot import exp

    return {table.name for table in sqlglot.parse_one(select, read="postgres").find_all(exp.Table)}
