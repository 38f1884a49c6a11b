"""A contract as it is handed on: the script of a table, for those that run it, and its columns. Imports no library."""

from dataclasses import dataclass

from lgs_assets import places

LEDGERS = ("dumps", "rejected_lines", "publications", "lake_parts")
"""The tables that the platform keeps of its own work. All others are the lineage."""


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


def contract(table: str) -> str:
    """The CREATE TABLE of a table, with its rules and comments."""
    return (places.SQL / "tables" / f"{table}.sql").read_text()
