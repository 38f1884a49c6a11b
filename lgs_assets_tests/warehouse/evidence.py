"""What tests of loading examine: the lines, the ledger, what a reader sees meanwhile, and leftovers."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from lgs_assets.contracts.declaration import arrow_schema, primary_key
from lgs_assets.sources import CANONICAL_COLUMNS
from lgs_assets.sources.copy_arrow import from_copy_text
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import LoadedDump, loaded_dumps
from lgs_assets.warehouse.schema import driver_cursor

COLUMNS = ", ".join(CANONICAL_COLUMNS)
PATIENCE_SECONDS = 30

# Each row is something that no load may leave behind, however it ended.
DEBRIS = r"""
select 'staged: ' || relname from pg_class where relnamespace = 'lgs_staging'::regnamespace
union all
select 'temporary: ' || relname from pg_class where relpersistence = 't'
union all
select 'not attached: ' || relname from pg_class
where relname like 'raw\_invoices\_%' and relkind in ('r', 'i') and not relispartition
union all
select 'lines that the ledger does not know, or the other way round: ' || coalesce(dumps.dump, held.dump)
from dumps
full join (select dump, count(*) as lines from raw_invoices group by dump) as held on dumps.dump = held.dump
full join (select dump, count(*) as lines from rejected_lines group by dump) as kept on dumps.dump = kept.dump
where (dumps.lines, dumps.rejected) is distinct from (held.lines, coalesce(kept.lines, 0))
union all
select 'a partition too many'
where
    (
        select count(*) from pg_inherits
        where inhparent = 'raw_invoices'::regclass
        and inhrelid is distinct from to_regclass('raw_invoices_of_small_dumps')
    ) <> (
        select count(distinct dump) from raw_invoices
        where tableoid is distinct from to_regclass('raw_invoices_of_small_dumps')
    )
"""
AT_WORK = """
select query from pg_stat_activity
where application_name = 'lgs' and datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'
"""


def lines_of(warehouse: Warehouse, name: str) -> list[dict[str, Any]]:
    """The lines of a dump, in their order."""
    query = f"select line_number, {COLUMNS} from raw_invoices where dump = :name order by line_number"
    return [dict(row) for row in warehouse.rows(query, name=name)]


def ledger(warehouse: Warehouse) -> dict[str, LoadedDump]:
    """The ledger by the names of the dumps."""
    return {dump.dump: dump for dump in loaded_dumps(warehouse)}


def exact(warehouse: Warehouse, table: str) -> pa.Table:
    """A table of PostgreSQL in the order of its key, with every decimal to its fifteenth place."""
    fields = [
        pa.field(field.name, pa.decimal128(38, 15)) if pa.types.is_decimal(field.type) else field
        for field in arrow_schema(table)
    ]
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        texts = {field.name for field in fields if pa.types.is_string(field.type)}
        key = sql.SQL(", ").join(
            sql.SQL('{} collate "C"' if name in texts else "{}").format(sql.Identifier(name))
            for name in primary_key(table)
        )
        query = sql.SQL("copy (select * from {} order by {}) to stdout").format(sql.Identifier(table), key)
        with cursor.copy(query) as copy:
            return from_copy_text(b"".join(copy), pa.schema(fields))


def state(warehouse: Warehouse) -> list[Any]:
    """Everything that a load may change, down to the files that hold the tables."""
    queries = (
        "select * from raw_invoices order by dump, line_number",
        "select * from rejected_lines order by dump, line_number",
        "select dump, sha256, facts::text, lines, rejected, loaded_at, run from dumps order by dump",
        "select relname, relnamespace::regnamespace::text, relfilenode from pg_class "
        "where relnamespace::regnamespace::text in ('lgs', 'lgs_staging') order by oid",
    )
    return [[tuple(row.values()) for row in warehouse.rows(query)] for query in queries]


def debris(warehouse: Warehouse) -> list[str]:
    """Leftovers of loads. Waits until the server has dealt with those that were killed."""
    with psycopg.connect(warehouse.url, autocommit=True, options="-c search_path=lgs") as connection:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while connection.execute(AT_WORK).fetchall() and time.monotonic() < deadline:
            time.sleep(0.01)
        return [text for (text,) in connection.execute(DEBRIS.encode())]


def differences(warehouse: Warehouse, one: str, other: str) -> int:
    """How many rows one of two queries gives and the other does not, repeats counted. It may read every table."""
    query = f"select count(*) from ((({one}) except all ({other})) union all (({other}) except all ({one})))"
    with psycopg.connect(warehouse.url, options="-c search_path=lgs") as connection:
        ((count,),) = connection.execute(query.encode())
    return int(count)


def counted_while(warehouse: Warehouse, query: str, action: Callable[[], object]) -> set[Any]:
    """All the answers that another connection gets to a query from before an action until after it."""
    seen: set[Any] = set()
    began, done = threading.Event(), threading.Event()

    def read() -> None:
        with psycopg.connect(warehouse.url, autocommit=True, options="-c search_path=lgs") as connection:
            last = False
            while not last:
                last = done.is_set()
                seen.update(connection.execute(query.encode()).fetchall())
                began.set()

    with ThreadPoolExecutor() as pool:
        reader = pool.submit(read)
        began.wait(10)
        try:
            action()
        finally:
            done.set()
        reader.result()
    return {row[0] if len(row) == 1 else row for row in seen}
