"""What several peers share: the lines of a dump as a stream, and the platform's SELECTs. Nothing peculiar to one."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO

SQL = Path(__file__).resolve().parents[2] / "sql"
PLAYBOOK = SQL / "seeds" / "segment_playbook.csv"

# The tables that people query, and every peer builds. The totals of the invoices are a step on the way there.
RESULTS = (
    "monthly_metrics", "user_activity", "invoice_amounts", "invoice_amount_statistics", "rfm_scores", "segments",
    "segment_summary",
)  # fmt: skip

COLUMNS = [
    "invoice_no", "stock_code", "description", "quantity", "invoice_date", "unit_price", "customer_id", "country",
]  # fmt: skip

# The shell command that extracts the lines between COPY and \. of a dump.
COPY_BLOCK = r"gzip -dc -- '{dump}' | sed -n '/^COPY /,/^\\\.$/{{//!p;}}'"

SETTINGS = "BENCHMARK_SETTINGS"
"""The variable that holds the defaults of the platform's settings, by name and as SQL, in JSON."""


@contextmanager
def copy_block(dump: Path) -> Iterator[IO[bytes]]:
    """The lines of a dump, in COPY's text format. They are uncompressed in separate processes."""
    with Popen(["sh", "-c", COPY_BLOCK.format(dump=dump)], stdout=PIPE) as process:
        assert process.stdout is not None  # noqa: S101 (narrows the type)
        yield process.stdout


def in_order() -> list[str]:
    """RESULTS and the tables behind them, each after those it reads."""
    texts = {path.stem: path.read_text() for path in (SQL / "models").glob("*.sql")}
    reads: dict[str, set[str]] = {}
    wanted = list(RESULTS)
    while wanted:
        table = wanted.pop()
        reads[table] = set(re.findall(r"\b(?:from|join)\s+(\w+)", texts[table])) & texts.keys()
        wanted += reads[table] - reads.keys()
    return list(TopologicalSorter({table: sorted(reads[table]) for table in sorted(reads)}).static_order())


def selects(tables: Iterable[str] | None = None) -> dict[str, str]:
    """The SELECTs of tables, by default of those `in_order`, with the settings filled in."""
    values = settings()
    return {
        table: re.sub(r"(?<!:):(\w+)", lambda name: values[name[1]], (SQL / "models" / f"{table}.sql").read_text())
        for table in tables or in_order()
    }


def settings() -> dict[str, str]:
    """The defaults of the platform's settings, by name and as SQL."""
    found: dict[str, str] = json.loads(os.environ[SETTINGS])
    return found


def done(stage: str) -> None:
    """Tells the benchmark that a stage is complete."""
    print(stage, flush=True)
