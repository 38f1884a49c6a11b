"""The ledgers: which dumps are loaded, which of their lines were rejected, and which tables are built."""

from dataclasses import dataclass
from datetime import datetime

from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.sources import Reject
from lgs_assets.warehouse.database import Warehouse


@dataclass(frozen=True)
class LoadedDump:
    """A row of the ledger."""

    dump: str
    sha256: str
    format: str
    facts: dict[str, str]
    bytes: int
    lines: int
    rejected: int
    first_invoice_at: datetime
    last_invoice_at: datetime
    loaded_at: datetime
    run: str
    reader: str
    written_at: datetime
    file_version: str


def loaded_dumps(warehouse: Warehouse) -> list[LoadedDump]:
    """The ledger, oldest dump first: in the order in which newer dumps win."""
    query = "select * from dumps order by written_at, last_invoice_at, loaded_at, dump"
    return [LoadedDump(**row) for row in warehouse.rows(query)]


def built_tables(warehouse: Warehouse) -> set[str]:
    """The tables that can be read: that of the lines, which is there from the start, and what was published."""
    return {RAW_INVOICES} | {row.table_name for row in warehouse.rows("select table_name from publications")}


def rejected_lines(warehouse: Warehouse, dump: str) -> list[Reject]:
    """The rejected lines of a dump, in order."""
    query = "select line_number, line, column_name, reason from rejected_lines where dump = :dump order by line_number"
    return [Reject(*row.values()) for row in warehouse.rows(query, dump=dump)]


def dumps_without_lines(warehouse: Warehouse) -> list[str]:
    """The dumps of which PostgreSQL holds no line: they were loaded into another store."""
    query = """
        select dump
        from dumps
        where (select true from raw_invoices where raw_invoices.dump = dumps.dump limit 1) is null
        order by written_at, last_invoice_at, loaded_at, dump
    """
    return [row.dump for row in warehouse.rows(query)]
