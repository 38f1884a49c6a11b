"""Plain psql: the platform's SELECTs of what happened with `create table as`, on its lines. Arguments: the tables."""

import sys

from benchmarks.peers.common import selects
from benchmarks.peers.psql import run


def transform(tables: list[str]) -> str:
    """The script that makes the tables in `public`; what it does not make, it reads where the platform has it."""
    made = [f"create table public.{table} as\n{select};\n\\echo {table}\n" for table, select in selects(tables).items()]
    return "set search_path = public, lgs;\n\\echo start\n" + "".join(made)


if __name__ == "__main__":
    run(transform(sys.argv[1:]))
