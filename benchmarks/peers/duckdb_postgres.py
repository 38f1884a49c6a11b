"""DuckDB: the lines and every table are built in DuckDB, and its Postgres extension writes them to PostgreSQL."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from duckdb_extensions import import_extension

from benchmarks.peers.common import COLUMNS, PLAYBOOK, copy_block, done, selects

TYPES = [
    "varchar", "varchar", "varchar", "integer", "timestamp", "decimal(12, 3)", "decimal(12, 1)", "varchar",
]  # fmt: skip


def main(dump: Path, folder: Path) -> None:
    """The whole job, with the unpacked lines and what DuckDB spills in the folder."""
    connection = duckdb.connect(config={"temp_directory": str(folder)})
    import_extension("postgres_scanner", con=connection)
    connection.load_extension("postgres_scanner")
    connection.execute(f"attach '{os.environ['DATABASE_URL']}' as warehouse (type postgres)")
    done("start")

    lines = folder / "lines.tsv"
    with copy_block(dump) as stream, lines.open("wb") as file:
        while piece := stream.read(1 << 20):
            file.write(piece)
    columns = dict(zip(COLUMNS, TYPES, strict=True))
    connection.execute(
        f"""
        create table raw_invoices as
        select
            '{dump.name}' as dump, row_number() over () as line_number,
            * replace (replace(description, '\\\\', '\\') as description)
        from read_csv('{lines}', delim = '\t', quote = '', escape = '', nullstr = '\\N', header = false,
            columns = {columns})
        """
    )
    publish(connection, "raw_invoices")
    connection.execute(
        "create table dumps as "
        "select dump, max(invoice_date) as last_invoice_at, now() as loaded_at, now() as written_at "
        "from raw_invoices group by dump"
    )
    connection.execute(f"create table segment_playbook as from read_csv('{PLAYBOOK}')")
    for table, select in selects().items():
        connection.execute(f"create table {table} as {select}")
        publish(connection, table)


def publish(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Copies a table to PostgreSQL."""
    connection.execute(f"create table warehouse.{table} as from {table}")
    done(table)


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        main(Path(sys.argv[1]), Path(name))
