"""A contract as others use it: a table's script, for those that run it, and its columns. Imports no library."""

from dataclasses import dataclass

from lgs_assets import places

RAW_INVOICES = "raw_invoices"
"""The table with which the lineage begins."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    type: str
    """As PostgreSQL's catalog spells it."""
    nullable: bool
    description: str


def tables() -> list[str]:
    """The name of every table that has a contract, in alphabetical order."""
    return sorted(path.stem for path in (places.SQL / "tables").glob("*.sql"))


def kept_tables() -> list[str]:
    """The tables of facts that nothing in the warehouse can restore: their contracts begin with `-- kept`.

    All others begin with `-- derived`, and are rebuilt at will. Raises ValueError for a contract that says neither.
    """
    return [table for table in tables() if _kind(table) == "kept"]


def ledgers() -> list[str]:
    """The tables in which the platform records its own work: all that are kept, except the lines of dumps."""
    return [table for table in kept_tables() if table != RAW_INVOICES]


def contract(table: str) -> str:
    """The CREATE TABLE of a table, with its rules and comments."""
    return (places.SQL / "tables" / f"{table}.sql").read_text()


def _kind(table: str) -> str:
    kind = contract(table).partition(":")[0].removeprefix("-- ")
    if kind not in ("derived", "kept"):
        raise ValueError(f"sql/tables/{table}.sql: expected a first line -- derived: … or -- kept: …; found {kind!r}")
    return kind
