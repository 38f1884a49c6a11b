"""The dumps of `raw_invoices`: loads one or takes it out, and records that in the ledger `dumps`.

The lines of a dump go to a `Landing`: in PostgreSQL, unless another is given. There, a large dump has its own
partition. Small ones share the default partition, so that neither a load nor a query slows down with their number.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, Protocol

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from lgs_assets import places
from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.errors import DumpError, LgsError
from lgs_assets.sources import Batch, DateOrder, Dump, Reject, open_dump
from lgs_assets.sources.copy_text import NULL
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import LoadedDump
from lgs_assets.warehouse.locks import lock_for_writing, lock_out_readers
from lgs_assets.warehouse.schema import SCHEMA, STAGING, Cursor, driver_cursor

SHARED = f"{RAW_INVOICES}_of_small_dumps"
LARGEST_SMALL_DUMP = 50_000
"""In lines: it takes half a second to copy these once more. A larger dump is attached and dropped as it is."""
REJECT_LIMIT = 0.01
SHOWN_REJECTS = 5
"""In the text of an error; the error itself carries ten times as many."""
REJECTS_IN_MEMORY = 10_000
REJECTED_CHARACTERS_IN_MEMORY = 1 << 22


@dataclass(frozen=True)
class DumpFile:
    """A dump to load: where its file is, and how to read and judge it."""

    path: Path
    name: str
    """The name of its lines in raw_invoices; earlier lines of that name are replaced."""
    version: str = ""
    """Tells this version of the file from any other without reading it."""
    written_at: datetime | None = None
    """When the file was last changed, with a time zone; None if that is not known."""
    reject_limit: float = REJECT_LIMIT
    """The share of its lines that may be rejected; beyond it the dump is refused."""
    dates: DateOrder | None = None
    """How to read dates in a file that does not show whether the day or the month comes first; None to refuse it."""
    supersedes: str | None = None
    """Another dump, whose lines these replace: synthetic and real lines must never be added up."""


class LoadedLines(NamedTuple):
    """The good lines of a dump, in sum."""

    lines: int
    first_invoice_at: datetime | None
    """None without lines."""
    last_invoice_at: datetime | None


class Landing(Protocol):
    """Where the good lines of one dump go. They wait there until the dump is accepted."""

    def fill(self, dump: Dump, store_rejects: Callable[[list[Reject]], None]) -> LoadedLines:
        """Reads the whole dump: takes its good lines, hands the others to `store_rejects`. Raises DumpError."""

    def attach(self) -> None:
        """Makes the lines part of raw_invoices when the transaction ends. No dump of that name may be there."""

    def discard(self) -> None:
        """Discards the lines."""


def load_dump(
    warehouse: Warehouse,
    file: DumpFile,
    *,
    run: str = "",
    reader: str = "",
    landing: Callable[[Cursor, str], Landing] | None = None,
) -> LoadedDump:
    """Loads the good lines of a file into raw_invoices, as the dump of its name.

    The others are stored in rejected_lines, those with a date after the arrival of the file among them. `run` and
    `reader` are recorded: which run loads it, and the version of the code that reads it. `landing` creates the place
    for the lines of a named dump, in the transaction of a cursor.

    One transaction: an earlier version of the dump is replaced completely, or kept. Loading the same content again
    keeps its time of arrival, and so changes nothing, unless lines are good by now that were from the future then.
    Content that another dump has already brought is not loaded twice: that dump is then returned. Content is as old as
    its oldest file. Loads wait for each other.
    Raises DumpError if the file is not a dump, or is refused.
    """
    with (
        warehouse.transaction() as connection,
        open_dump(file.path, dates=file.dates, arrived=_arrival(driver_cursor(connection), file)) as dump,
        _refusals_as_dump_errors(f"{file.path}"),
    ):
        cursor = driver_cursor(connection)
        # Each load begins by reading the definition of the parent and ends by locking it: two at once would deadlock.
        lock_for_writing(cursor, RAW_INVOICES)
        cursor.execute("create temp table new_rejects (like rejected_lines) on commit drop")
        landed = (landing or _Partition)(cursor, file.name)
        lines, first, last = landed.fill(dump, partial(_store_rejects, cursor, file.name))
        rejected = _judge(cursor, dump, lines, file.reject_limit)

        lock_out_readers(cursor, RAW_INVOICES)
        if file.supersedes is not None:
            _take_out(cursor, file.supersedes)
        earlier = _take_out(cursor, file.name)
        # A later arrival is later in the ledger as well, even if the clock was set back meanwhile.
        cursor.execute(
            "select greatest(clock_timestamp(), (select max(loaded_at) + interval '1 microsecond' from dumps))"
        )
        ((arrived,),) = cursor.fetchall()
        written = _written_at(file, first, arrived)
        if same := _known(cursor, dump.content.sha256, written):
            landed.discard()
            return same
        landed.attach()
        cursor.execute("insert into rejected_lines select * from new_rejects")
        if earlier and earlier.sha256 == dump.content.sha256:
            written = min(earlier.written_at, written)
            if file.version == earlier.file_version or lines == earlier.lines:
                arrived = earlier.loaded_at  # else the file came anew, when more of its dates were past
        cursor.execute(
            "insert into dumps values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning *",
            [
                *(file.name, dump.content.sha256, _form(dump), Jsonb(dump.facts), dump.bytes),
                *(lines, rejected, first, last, arrived, run, reader, written, file.version),
            ],
        )
        ((row),) = cursor.fetchall()
        return LoadedDump(*row)


def forget_dump(warehouse: Warehouse, name: str) -> None:
    """Takes the lines of a dump, and its records, out of the warehouse. Raises LgsError if there is no such dump."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, RAW_INVOICES)
        cursor.execute("select dump from dumps order by dump")
        known = [dump for (dump,) in cursor]
        if name not in known:
            raise LgsError(f"There is no dump {name}. Loaded: {', '.join(known) or 'none'}.")
        lock_out_readers(cursor, RAW_INVOICES)
        _take_out(cursor, name)


def _partition(dump: str) -> str:
    """The table of a dump: PostgreSQL truncates names to 63 bytes, so a hash stands for the dump's name."""
    return f"{RAW_INVOICES}_{sha256(dump.encode()).hexdigest()[:16]}"


class _Partition:
    """A table of the lines, which becomes a partition of raw_invoices if the dump is accepted, or a part of one."""

    def __init__(self, cursor: Cursor, name: str) -> None:
        """Creates the empty partition. Its defaults give each line the dump's name and the line's number."""
        self._cursor, self._name = cursor, name
        self._staged = sql.Identifier(STAGING, _partition(name))
        cursor.execute(
            sql.SQL("create table {} (like {} including all excluding indexes)").format(
                self._staged, sql.Identifier(SCHEMA, RAW_INVOICES)
            )
        )
        cursor.execute("create temp sequence line_numbers cache 10000")
        cursor.execute(
            sql.SQL(
                "alter table {0} alter dump set default {1}, alter line_number set default nextval('line_numbers'), "
                "add constraint is_this_dump check (dump = {1})"  # spares a scan when the partition is attached
            ).format(self._staged, sql.Literal(name))
        )

    def fill(self, dump: Dump, store_rejects: Callable[[list[Reject]], None]) -> LoadedLines:
        """Streams the good lines into COPY, a stretch at a time."""
        for _, stretch in groupby(dump.pieces, key=_Stretches()):
            rejects: list[Reject] = []
            _copy(self._cursor, self._staged, dump, stretch, rejects)
            store_rejects(rejects)
        self._cursor.execute(
            sql.SQL("select count(*), min(invoice_date), max(invoice_date) from {}").format(self._staged)
        )
        ((lines, first, last),) = self._cursor.fetchall()
        self._is_small = lines <= LARGEST_SMALL_DUMP
        if not self._is_small:
            self._cursor.execute(
                sql.SQL(
                    "alter table {} alter dump drop default, alter line_number drop default, "
                    "add constraint {} primary key (dump, line_number)"
                ).format(self._staged, sql.Identifier(f"{_partition(self._name)}_pkey"))
            )
            self._cursor.execute("drop sequence line_numbers")
        return LoadedLines(lines, first, last)

    def attach(self) -> None:
        """Makes the table a partition, or copies its lines to the one of the small dumps."""
        if self._is_small:
            shared = sql.Identifier(SCHEMA, SHARED)
            self._cursor.execute("select to_regclass(%s)", [shared.as_string()])
            if self._cursor.fetchone() == (None,):
                self._cursor.execute(
                    sql.SQL("create table {} partition of {} default").format(
                        shared, sql.Identifier(SCHEMA, RAW_INVOICES)
                    )
                )
            self._cursor.execute(sql.SQL("insert into {} select * from {}").format(shared, self._staged))
            self.discard()
            return
        live = sql.Identifier(SCHEMA, _partition(self._name))
        self._cursor.execute(sql.SQL("alter table {} set schema {}").format(self._staged, sql.Identifier(SCHEMA)))
        self._cursor.execute(
            sql.SQL("alter table {} attach partition {} for values in ({})").format(
                sql.Identifier(SCHEMA, RAW_INVOICES), live, sql.Literal(self._name)
            )
        )
        self._cursor.execute(sql.SQL("alter table {} drop constraint is_this_dump").format(live))

    def discard(self) -> None:
        """Drops it."""
        self._cursor.execute(sql.SQL("drop table {}").format(self._staged))
        self._cursor.execute("drop sequence if exists line_numbers")


def are_many(rejects: int, characters: int) -> bool:
    """Whether so many rejects, with so many characters, are to be stored before there are more of them in memory."""
    return rejects >= REJECTS_IN_MEMORY or characters >= REJECTED_CHARACTERS_IN_MEMORY


class _Stretches:
    """Numbers the stretches of a dump: consecutive lines with the same columns, and not too many rejects among them."""

    def __init__(self) -> None:
        self._stretch = 0
        self._columns: tuple[str, ...] = ()
        self._next_line = 0
        self._rejects = self._characters = 0

    def __call__(self, piece: Batch | Reject) -> int:
        """The number of the stretch that a piece belongs to."""
        columns, line, lines = (self._columns, piece.line, 1) if isinstance(piece, Reject) else piece[:3]
        if (columns, line) != (self._columns, self._next_line) or are_many(self._rejects, self._characters):
            self._stretch += 1
            self._rejects = self._characters = 0
        self._columns, self._next_line = columns, line + lines
        if isinstance(piece, Reject):
            self._rejects += 1
            self._characters += len(piece.text)
        return self._stretch


def _copy(
    cursor: Cursor, staged: sql.Identifier, dump: Dump, stretch: Iterator[Batch | Reject], rejects: list[Reject]
) -> None:
    """Streams the good lines of a stretch into COPY, and puts the others into the list."""
    for first in stretch:
        if isinstance(first, Batch):
            break
        rejects.append(first)
    else:
        return
    # Transactions with an older snapshot see frozen lines too; otherwise they would find an empty table.
    statement = sql.SQL("copy {} ({}) from stdin (freeze, encoding 'UTF8') where invoice_no is not null").format(
        staged, sql.SQL(", ").join(map(sql.Identifier, first.columns))
    )
    # Sent for a reject: it uses up the number of its line and is left out.
    nothing = b"\t".join([NULL] * len(first.columns)) + b"\n"
    cursor.execute("select setval('line_numbers', %s, false)", [first.first_line])
    with _refusals_as_dump_errors(f"{dump.path}, the lines from {first.first_line} on"), cursor.copy(statement) as copy:
        copy.write(first.data)
        for piece in stretch:
            if isinstance(piece, Reject):
                rejects.append(piece)
                copy.write(nothing)
            else:
                copy.write(piece.data)


def _store_rejects(cursor: Cursor, name: str, rejects: list[Reject]) -> None:
    if rejects:
        with cursor.copy("copy new_rejects (dump, line_number, column_name, reason, line) from stdin") as copy:
            for reject in rejects:
                copy.write_row((name, reject.line, reject.column, reject.reason, reject.text))


def _judge(cursor: Cursor, dump: Dump, lines: int, reject_limit: float) -> int:
    """The number of rejected lines. Raises DumpError if there are too many for the good ones to be trusted."""
    cursor.execute("select count(*) from new_rejects")
    ((rejected,),) = cursor.fetchall()
    if rejected and rejected / (lines + rejected) > reject_limit:  # a product would be inexact at the limit itself
        cursor.execute("select column_name, count(*) from new_rejects group by 1 order by 2 desc, 1")
        columns = ", ".join(f"{column or 'the line as a whole'} {count:,}" for column, count in cursor)
        cursor.execute(
            "select line_number, line, column_name, reason from new_rejects order by line_number limit %s",
            [10 * SHOWN_REJECTS],
        )
        rejects = [Reject(*row) for row in cursor]
        raise DumpError(
            f"{dump.path}: {rejected:,} of {lines + rejected:,} lines cannot be read, more than {reject_limit:.2%}. "
            f"At fault: {columns}. The first:{first_of(rejects)}",
            rejects=rejects,
        )
    if not lines:
        raise DumpError(f"{dump.path}: the dump holds no lines.")
    return int(rejected)


def first_of(rejects: Sequence[Reject]) -> str:
    """The first rejected lines, each in a line of its own, for the text of an error."""
    return "".join(
        f"\n  line {reject.line}{f', column {reject.column}' if reject.column else ''}: {reject.reason}"
        for reject in rejects[:SHOWN_REJECTS]
    )


def _arrival(cursor: Cursor, file: DumpFile) -> date | None:
    """The day on which this version of a file arrived, in the shop; None if it arrives now.

    A file that is read again is judged by the day of its first reading: what was from the future then remains so.
    """
    if not file.version:
        return None
    cursor.execute("select loaded_at from dumps where dump = %s and file_version = %s", [file.name, file.version])
    row = cursor.fetchone()
    return places.in_shop(row[0]).date() if row else None


def _known(cursor: Cursor, content: str, written: datetime) -> LoadedDump | None:
    """The dump that has already brought this content, made as old as its oldest file; None if none has."""
    cursor.execute(
        "update dumps set written_at = least(written_at, %s) where sha256 = %s returning *", [written, content]
    )
    row = cursor.fetchone()
    return LoadedDump(*row) if row else None


def _written_at(file: DumpFile, first_invoice_at: datetime | None, arrived: datetime) -> datetime:
    """When a file was written: its own time, or its arrival if that is earlier or the file older than all its invoices.

    An invoice after the file's time has a mistaken date, which must not make its dump the newest.
    """
    written = min(file.written_at or arrived, arrived)
    return arrived if first_invoice_at and places.in_shop(written) < first_invoice_at else written


def _take_out(cursor: Cursor, name: str) -> LoadedDump | None:
    """Removes a dump and its lines. Returns its row of the ledger, None if it was not there."""
    cursor.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(SCHEMA, _partition(name))))
    cursor.execute("delete from raw_invoices where dump = %s", [name])
    cursor.execute("delete from rejected_lines where dump = %s", [name])
    cursor.execute("delete from dumps where dump = %s returning *", [name])
    row = cursor.fetchone()
    return LoadedDump(*row) if row else None


@contextmanager
def _refusals_as_dump_errors(what: str) -> Iterator[None]:
    """Turns PostgreSQL's refusal of a value into a DumpError."""
    try:
        yield
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        message, context = error.diag.message_primary, error.diag.context or ""
        raise DumpError(f"{what}: PostgreSQL refuses them: {message}. {context}") from error


def _form(dump: Dump) -> str:
    """The form of a dump in a few words: SQL dump of COPY blocks, utf-8, gzip."""
    return ", ".join(dump.facts[fact] for fact in ("format", "encoding", "packing") if fact in dump.facts)
