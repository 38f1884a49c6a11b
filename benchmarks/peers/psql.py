"""Plain psql: \\copy and `create table as`, by hand, in one transaction. No keys, no rules, no checks: the floor."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.common import COLUMNS, COPY_BLOCK, PLAYBOOK, selects

_TYPES = ["text", "text", "text", "integer", "timestamp", "numeric", "numeric", "text"]


def load(dump: Path) -> str:
    """The script that loads the dump and the playbook."""
    columns = ", ".join(COLUMNS)
    program = COPY_BLOCK.format(dump=dump).replace("'", "''")
    return rf"""
\echo start
create table raw_invoices (
    dump text not null default '{dump.name}',
    line_number bigint generated always as identity (cache 10000),
    {", ".join(f"{name} {kind}" for name, kind in zip(COLUMNS, _TYPES, strict=True))}
);
\copy raw_invoices ({columns}) from program '{program}' with (freeze)
create table dumps as
select dump, max(invoice_date) as last_invoice_at, now() as loaded_at, now() as written_at
from raw_invoices group by dump;
\echo raw_invoices
"""


def transform() -> str:
    """The script that makes every other table."""
    playbook = rf"""
create table segment_playbook (
    segment text, position smallint, r_min smallint, r_max smallint, f_min smallint, f_max smallint,
    behaviour text, strategy text
);
\copy segment_playbook from '{PLAYBOOK}' with (format csv, header)
"""
    tables = [f"create table {table} as\n{select};\n\\echo {table}\n" for table, select in selects().items()]
    return playbook + "".join(tables)


def run(script: str) -> None:
    """Runs a script in one transaction."""
    command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=on", "--single-transaction", "--file=-"]
    subprocess.run([*command, os.environ["DATABASE_URL"]], input=script, text=True, check=True)


if __name__ == "__main__":
    run(load(Path(sys.argv[1])) + transform())
