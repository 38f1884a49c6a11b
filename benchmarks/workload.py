"""The workloads: the invoice lines of a dump, replicated to a multiple of its size. Streamed, and never committed."""

import gzip
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import groupby, takewhile
from pathlib import Path

from lgs_assets.demo.dump import write_demo_dump

REAL_LINES = 1_067_371
"""Lines of the UCI data. A synthetic dump that stands in for it has as many."""

DAY_SHARE = 0.001
"""The share of the lines that a day adds, after two years."""

# The customers of a copy have the ids of the original and this much more for each copy before it.
CUSTOMER_IDS_APART = 100_000
_COMPRESSION = 1  # quick to write; the compression is not part of the comparison
_END = b"\\.\n"
_NULL = b"\\N"


def source_dump(real_data: Path | None, folder: Path) -> Path:
    """The dump to replicate: the real one if there is one, otherwise a synthetic one of the same size."""
    if real_data is not None:
        return real_data / "retail.sql.gz"
    return _made(
        folder / "synthetic-retail.sql.gz", lambda path: write_demo_dump(path, lines=REAL_LINES), newer_than=None
    )


def replicated(source: Path, folder: Path, *, copies: int) -> Path:
    """The dump with each invoice this many times, copies under new ids of invoice and customer. Created if need be."""
    if copies == 1:
        return source
    name = f"{source.name.removesuffix('.sql.gz')}-{copies}x.sql.gz"
    return _made(folder / name, lambda path: replicate(source, path, copies=copies), newer_than=source)


def day_after(source: Path, folder: Path, *, copies: int) -> Path:
    """A further dump, of the day after the last of the replicated one: DAY_SHARE of its lines. Created if need be."""
    name = f"{source.name.removesuffix('.sql.gz')}-{copies}x-day.sql.gz"
    return _made(folder / name, lambda path: write_day_after(source, path, copies=copies), newer_than=source)


def replicate(source: Path, target: Path, *, copies: int) -> None:
    """Writes the dump with each invoice this many times. The first copy is the original; lines stay in time order."""
    with _rewritten(source, target) as (lines, write):
        for _, invoice in groupby(lines, key=_invoice):
            original = list(invoice)
            for copy in range(copies):
                write(_as_copy(line, copy) for line in original)


def write_day_after(source: Path, target: Path, *, copies: int) -> None:
    """Writes the last DAY_SHARE of the lines again: as new invoices, a day later, of the same customers."""
    with _rewritten(source, target) as (lines, _):
        number = sum(1 for _ in lines)
    last: deque[bytes] = deque(maxlen=max(1, round(number * DAY_SHARE)))
    with _rewritten(source, target) as (lines, write):
        last.extend(lines)
        for copy in range(copies):
            write(_as_copy(_a_day_later(line), copy) for line in last)


@contextmanager
def _rewritten(source: Path, target: Path) -> Iterator[tuple[Iterator[bytes], Callable[[Iterable[bytes]], None]]]:
    """The lines of the COPY block of a dump, and a function that writes others in their place."""
    with gzip.open(source) as script, gzip.open(target, "wb", _COMPRESSION) as out:
        for line in script:
            out.write(line)
            if line.startswith(b"COPY "):
                break
        yield takewhile(lambda line: line != _END, script), out.writelines
        out.write(_END)


def _invoice(line: bytes) -> bytes:
    return line.partition(b"\t")[0]


def _as_copy(line: bytes, copy: int) -> bytes:
    """A line as in the copy of that number; for number 0, the line itself."""
    if copy == 0:
        return line
    invoice, rest = line.split(b"\t", 1)
    rest, customer, country = rest.rsplit(b"\t", 2)
    if customer != _NULL:
        customer = b"%d" % (float(customer) + copy * CUSTOMER_IDS_APART)  # some dumps write 13085.0
    return b"%b-%d\t%b\t%b\t%b" % (invoice, copy, rest, customer, country)


def _a_day_later(line: bytes) -> bytes:
    invoice, *what, date, price, customer, country = line.split(b"\t")
    later = datetime.fromisoformat(date.decode()) + timedelta(days=1)
    return b"\t".join([invoice + b"-next", *what, str(later).encode(), price, customer, country])


def _made(path: Path, write: Callable[[Path], object], *, newer_than: Path | None) -> Path:
    """The file, written if it is missing or older than its source. It appears complete or not at all."""
    if not path.exists() or (newer_than and path.stat().st_mtime < newer_than.stat().st_mtime):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"partial-{path.name}")
        write(partial)
        partial.replace(path)
    return path
