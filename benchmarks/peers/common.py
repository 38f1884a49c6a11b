"""What several peers share: the lines of a dump as a stream, and the SELECTs of the platform. No peer's own way."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO

SQL = Path(__file__).resolve().parents[2] / "sql"
PLAYBOOK = SQL / "seeds" / "segment_playbook.csv"

COLUMNS = [
    "invoice_no", "stock_code", "description", "quantity", "invoice_date", "unit_price", "customer_id", "country",
]  # fmt: skip

# The lines between COPY and \. of a dump, as the shell takes them out.
COPY_BLOCK = r"gzip -dc -- '{dump}' | sed -n '/^COPY /,/^\\\.$/{{//!p;}}'"

# The defaults of the platform's settings, as SQL.
_SETTINGS = {
    "chart_cutoff": "0.85", "doubled_invoices": "'twice'", "drop_repeats": "false", "snapshot_date": "null",
    "ties": "'by_customer_id'",
}  # fmt: skip


@contextmanager
def copy_block(dump: Path) -> Iterator[IO[bytes]]:
    """The lines of a dump, in COPY's text format. They are unpacked in processes beside this one."""
    with Popen(["sh", "-c", COPY_BLOCK.format(dump=dump)], stdout=PIPE) as process:
        assert process.stdout is not None  # noqa: S101 (narrows the type)
        yield process.stdout


def selects() -> dict[str, str]:
    """The SELECT of each derived table, the settings put in; each table after those that it reads."""
    texts = {path.stem: path.read_text() for path in sorted((SQL / "models").glob("*.sql"))}
    reads = {table: set(re.findall(r"\b(?:from|join)\s+(\w+)", text)) & texts.keys() for table, text in texts.items()}
    in_order = TopologicalSorter(reads).static_order()
    return {table: re.sub(r"(?<!:):(\w+)", lambda name: _SETTINGS[name[1]], texts[table]) for table in in_order}


def done(stage: str) -> None:
    """Tells the benchmark that a stage is complete."""
    print(stage, flush=True)
