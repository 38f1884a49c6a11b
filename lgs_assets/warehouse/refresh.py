"""Builds a table from a model: in full, or only the rows of the invoices that changed dumps touch."""

from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from lgs_assets.contracts.model import InvoiceModel, Model
from lgs_assets.warehouse.catalog import qualified
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_for_writing, lock_table
from lgs_assets.warehouse.publish import Fill, Provenance, lock_against_writers, publish, record
from lgs_assets.warehouse.schema import SCHEMA, Cursor, driver_cursor

# Of all lines. Beyond it, rebuilding the table takes no longer than looking up what has changed.
LARGEST_SHARE_REFRESHED = 0.1

# The invoices that have changed, and their lines: those in dumps that are new to the table, and from other dumps those
# of invoices that the table has. An invoice that it does not have is in no other dump.
_CHANGED_INVOICES = """
create temp table changed_invoices on commit drop as
select invoice_no from {source} where dump = any ({dumps})
union
select invoice_no from {target} where dump = any ({dumps})
"""
_CHANGED_LINES = """
create temp table {part} on commit drop as
select * from {source} where dump = any ({dumps})
union all
select * from {source}
where dump <> all ({dumps}) and invoice_no in (
    select invoice_no from changed_invoices
    where exists (select from {target} as known where known.invoice_no = changed_invoices.invoice_no)
)
"""


def publish_model(warehouse: Warehouse, table: str, model: Model, provenance: Provenance) -> int:
    """Replaces `table` with the rows of a model, without a row leaving the database. Returns the number of rows.

    If an InvoiceModel built it by the same rules, and few lines have changed since, only the rows of their invoices are
    replaced: also in one transaction, and with the same result. Raises as `publish` does.
    """
    fill = filled_by(warehouse, model)
    if not isinstance(model, InvoiceModel):
        return publish(warehouse, table, fill, provenance)
    if (rows := _refresh(warehouse, table, model.source, fill, provenance)) is not None:
        return rows
    return publish(warehouse, table, fill, provenance, source=model.source)


def filled_by(warehouse: Warehouse, model: Model) -> Fill:
    """What fills a table with the rows of a model."""
    compiled = sa.text(model.select).bindparams(**model.parameters).compile(dialect=warehouse.engine.dialect)

    def fill(cursor: Cursor, target: sql.Identifier) -> None:
        cursor.execute(f"insert into {target.as_string()} {compiled}".encode(), compiled.params)

    return fill


def changed_dumps(cursor: Cursor, table: str, provenance: Provenance, now: dict[str, dict[str, Any]]) -> list[str]:
    """The dumps by which a table differs from `now`, what it would be built from, as `dumps_of` returns it.

    Empty if it has to be rebuilt: it differs by too many lines, by nothing, or by the rules in `provenance`.
    """
    cursor.execute(
        "select dumps from publications where table_name = %s and rules = %s and dumps is not null",
        [table, provenance.rules],
    )
    if not (published := cursor.fetchone()):
        return []
    (before,) = published
    changed = sorted(dump for dump in before | now if before.get(dump) != now.get(dump))
    lines = sum(dumps[dump]["lines"] for dumps in (before, now) for dump in changed if dump in dumps)
    return changed if lines <= LARGEST_SHARE_REFRESHED * sum(dump["lines"] for dump in now.values()) else []


def _refresh(warehouse: Warehouse, table: str, source: str, fill: Fill, provenance: Provenance) -> int | None:
    """Replaces the rows of changed invoices. Returns the number of the table's rows, None if it must be rebuilt."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, table)
        now = lock_against_writers(cursor, source) or {}
        cursor.execute("select to_regclass(%s)", [qualified(SCHEMA, table)])
        if cursor.fetchone() == (None,) or not (changed := changed_dumps(cursor, table, provenance, now)):
            return None
        target = sql.Identifier(SCHEMA, table)
        names = {
            "source": sql.Identifier(SCHEMA, source),
            "target": target,
            "part": sql.Identifier("pg_temp", source),
            "dumps": sql.Literal(changed),
        }
        try:
            with connection.begin_nested():
                cursor.execute(sql.SQL(_CHANGED_INVOICES).format(**names))
                cursor.execute("analyze changed_invoices")
                cursor.execute(sql.SQL(_CHANGED_LINES).format(**names))
                cursor.execute(sql.SQL("analyze {part}").format(**names))
                # Builders of dependent tables hold a lock that this waits for. Readers go on.
                lock_table(cursor, table, "exclusive")
                cursor.execute(
                    sql.SQL("delete from {target} where invoice_no in (table changed_invoices)").format(**names)
                )
                fill(cursor, target)  # what it reads by its bare name is now the part
        except (psycopg.IntegrityError, psycopg.DataError):
            return None  # the rebuild explains it
        cursor.execute(sql.SQL("select count(*) from {target}").format(**names))
        ((rows,),) = cursor.fetchall()
        record(cursor, table, provenance, rows, now)
    return int(rows)
