"""What many small dumps cost: the same lines as one dump, by day, and with thousands of tiny dumps on top.

    python -m benchmarks.arrivals [--tiny 10000]

Each warehouse is a fresh one in `.benchmark/arrivals`, filled by `lgs run` as a user would. It prints the seconds of
each command, start included: everything from nothing; a run with nothing to do; a dump of one more day.
"""

import csv
import gzip
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.workload import source_dump

Row = list[str]
HEADER = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
DATE = HEADER.index("InvoiceDate")
WORK = Path(".benchmark", "arrivals")
DAY_LINES = 1_000
TINY = ["22423", "REGENCY CAKESTAND 3 TIER", "1"]


def lines_of(dump: Path) -> Iterator[Row]:
    """The lines of a COPY block, as cells of a CSV file."""
    with gzip.open(dump, "rt") as script:
        for line in script:
            if line.startswith("COPY "):
                break
        for line in script:
            if line == "\\.\n":
                return
            yield ["" if cell == "\\N" else cell for cell in line.rstrip("\n").split("\t")]


def write(inbox: Path, name: str, rows: Iterable[Row]) -> None:
    """A CSV file in the inbox."""
    inbox.mkdir(parents=True, exist_ok=True)
    with (inbox / name).open("w", newline="") as target:
        csv.writer(target).writerows([HEADER, *rows])


def day_of(row: Row) -> date:
    """The day of a line."""
    return datetime.fromisoformat(row[DATE]).date()


def write_tiny(inbox: Path, rows: list[Row], number: int) -> None:
    """As many dumps of one line each, of an invoice of its own in the days that the data covers."""
    for i, row in enumerate(islice(rows, number)):
        write(inbox, f"tiny-{i:05}.csv", [[f"T{i}", *TINY, row[DATE], "12.75", *row[-2:]]])


def write_next_day(inbox: Path, rows: list[Row]) -> None:
    """The last lines once more, a day later, as new invoices."""
    later = [[f"{row[0]}-next", *row[1:]] for row in rows[-DAY_LINES:]]
    for row in later:
        row[DATE] = str(datetime.fromisoformat(row[DATE]) + timedelta(days=1))
    write(inbox, "next-day.csv", later)


def seconds_of_run(home: Path) -> float:
    """How long `lgs run` takes. Raises CalledProcessError if it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LGS_", "DAGSTER_"))}
    environment |= {"LGS_HOME": str(home.absolute()), "LGS_INBOX": str((home / "inbox").absolute())}
    began = time.monotonic()
    subprocess.run([Path(sys.executable).with_name("lgs"), "run"], env=environment, check=True, stdout=sys.stderr)
    return time.monotonic() - began


def measure(home: Path, rows: list[Row]) -> tuple[float, float, float]:
    """The seconds of a run of all in the inbox, of one with nothing to do, and of one with a day more."""
    inbox = home / "inbox"
    first = seconds_of_run(home)
    idle = min(seconds_of_run(home) for _ in range(3))
    write_next_day(inbox, rows)
    return first, idle, seconds_of_run(home)


def main(tiny: Annotated[int, typer.Option(min=0, help="Dumps of one line each, on top.")] = 10_000) -> None:
    """Prints the measurements, a warehouse a line."""
    shutil.rmtree(WORK, ignore_errors=True)
    real_data = os.environ.get("LGS_REAL_DATA")
    rows = sorted(lines_of(source_dump(Path(real_data) if real_data else None, WORK)), key=lambda row: row[DATE])
    write(WORK / "one" / "inbox", "all.csv", rows)
    for name in ("days", "tiny"):
        for day, lines in groupby(rows, key=day_of):
            write(WORK / name / "inbox", f"{day}.csv", lines)
    write_tiny(WORK / "tiny" / "inbox", rows[:: max(1, len(rows) // max(1, tiny))], tiny)
    typer.echo("| dumps | everything, s | a dump more, ms | nothing to do, s | a day more, s |\n|---|---|---|---|---|")
    alone = None
    for name in ("one", "days", "tiny"):
        home = WORK / name
        number = len(list((home / "inbox").iterdir()))
        first, idle, grown = measure(home, rows)
        alone = first if alone is None else alone
        each = "" if number == 1 else f"{1000 * (first - alone) / (number - 1):.0f}"
        typer.echo(f"| {number:,} | {first:.1f} | {each} | {idle:.2f} | {grown:.1f} |")
        environment = {**os.environ, "LGS_HOME": str(home.absolute())}
        subprocess.run([Path(sys.executable).with_name("lgs"), "stop"], env=environment, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    typer.run(main)
