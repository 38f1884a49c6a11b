"""Plain psql with the contracts of the platform: keys, rules, indexes and statistics, in one transaction."""

import sys
from pathlib import Path

from benchmarks.peers.common import COLUMNS, COPY_BLOCK, PLAYBOOK, SQL, selects
from benchmarks.peers.psql import run


def load(dump: Path) -> str:
    """The script that loads the dump and the playbook."""
    program = COPY_BLOCK.format(dump=dump).replace("'", "''")
    return rf"""
\echo start
{contract("raw_invoices")}
create sequence line_numbers cache 10000;
create table lines partition of raw_invoices (
    dump default '{dump.name}',
    line_number default nextval('line_numbers')
) for values in ('{dump.name}');
\copy lines ({", ".join(COLUMNS)}) from program '{program}' with (freeze)
create table dumps as
select dump, max(invoice_date) as last_invoice_at, now() as loaded_at, now() as written_at
from raw_invoices group by dump;
\echo raw_invoices
{contract("segment_playbook")}
\copy segment_playbook from '{PLAYBOOK}' with (format csv, header)
"""


def transform() -> str:
    """The script that makes every other table."""
    tables = (
        f"{contract(table)}insert into {table}\n{select};\nanalyze {table};\n\\echo {table}\n"
        for table, select in selects().items()
    )
    return "".join(tables)


def contract(table: str) -> str:
    """The script that makes an empty table."""
    return (SQL / "tables" / f"{table}.sql").read_text()


if __name__ == "__main__":
    run(load(Path(sys.argv[1])) + transform())
