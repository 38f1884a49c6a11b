"""Straight from production: new lines of a table in another database land in the inbox, as one more dump.

A pull begins at midnight some days before the last loaded line, so that late lines are not missed, and names its dump
after that day: all pulls of a day are versions of one dump, of which the latest counts. Lines that the source has
deleted since go with the earlier version; nothing is ever removed from dumps of other names.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from lgs_assets import places
from lgs_assets.arrivals.inbox import Inbox
from lgs_assets.configuration import Configuration
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.errors import LgsError, UnavailableError
from lgs_assets.file_locks import locked_if_free
from lgs_assets.sources import sha256_of
from lgs_assets.sources.database import dump_table
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import LoadedDump, loaded_dumps

PAUSES_SECONDS = (5, 15, 45)  # before each further attempt


@dataclass(frozen=True)
class Source:
    """The table that lines are pulled from, in another database."""

    url: SecretStr
    """Of the database, with its password."""
    table: str
    """The table or view, with its schema if need be: schema.table."""
    overlap_days: int
    """How many days before the last loaded line a pull begins, to catch late lines."""
    timeout_seconds: int
    """How long a statement may take before it is given up."""
    workshop: Path
    """The folder in which a pull is put together."""

    @classmethod
    def of(cls, configuration: Configuration) -> Self | None:
        """The source of the configuration, None if there is none."""
        if not configuration.source_url:
            return None
        return cls(
            url=configuration.source_url,
            table=configuration.source_table,
            overlap_days=configuration.source_overlap_days,
            timeout_seconds=configuration.source_timeout_seconds,
            workshop=configuration.state / "pull",
        )

    def since(self, dumps: Iterable[LoadedDump]) -> datetime | None:
        """The moment from which to pull lines; None, for all of them, if nothing but the demo dump is loaded."""
        # No dump holds lines from after it was loaded: a line dated ahead by mistake hides nothing.
        known = [min(dump.last_invoice_at, places.in_shop(dump.loaded_at)) for dump in dumps if dump.dump != DEMO_DUMP]
        if not known:
            return None
        return datetime.combine(max(known).date() - timedelta(days=self.overlap_days), datetime.min.time())


@dataclass(frozen=True)
class Pull:
    """The outcome of a pull."""

    dump: str
    """The name of its dump in the inbox."""
    lines: int
    """How many lines the source has from where the pull begins. Without any there is no dump."""
    is_new: bool
    """Whether a dump has landed. If not, there was no line, or this very dump was there before."""


class PullUnderWayError(LgsError):
    """Another process is pulling just now."""


def pull_new_lines(
    source: Source | None,
    inbox: Inbox,
    warehouse: Warehouse,
    *,
    everything: bool = False,
    warn: Callable[[str], None],
    progress: Callable[[int], None] = lambda lines: None,
) -> Pull:
    """Pulls the lines that are new since the last loaded one, or everything, and lands them in the inbox.

    If the connection is lost, `warn` is told and another attempt follows; `progress` is told the lines so far.
    Raises LgsError with the reason, without a password, if there is no source, a pull is under way or this one fails.
    A failed pull leaves nothing behind.
    """
    if not source:
        raise LgsError(
            "LGS_SOURCE_URL is not set. Set it to the database to pull from: see README.md, Straight from production."
        )
    since = None if everything else source.since(loaded_dumps(warehouse))
    name = f"pulled-{since:%Y-%m-%d}.sql.gz" if since else "pulled-everything.sql.gz"
    with _workshop(source.workshop) as folder:
        pulled = folder / name

        def attempt() -> int:
            return dump_table(
                source.url.get_secret_value(),
                source.table,
                pulled,
                since=since,
                timeout_seconds=source.timeout_seconds,
                progress=progress,
            )

        lines = _persistently(attempt, warn)
        is_new = lines > 0 and sha256_of(pulled) != _sha256_there(name, inbox, warehouse)
        if is_new:
            inbox.land(pulled)
    return Pull(name, lines, is_new)


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """The folder for one pull at a time, emptied afterwards, including what a killed one left there.

    Raises PullUnderWayError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked_if_free(folder) as lock:
        if lock is None:
            raise PullUnderWayError("A pull is already under way: its lines will arrive without this one.")
        try:
            yield folder
        finally:
            for file in folder.iterdir():
                file.unlink()


def _persistently(attempt: Callable[[], int], warn: Callable[[str], None]) -> int:
    for pause in PAUSES_SECONDS:
        try:
            return attempt()
        except UnavailableError as error:
            warn(f"{error}\nTrying again in {pause} s.")
        time.sleep(pause)
    return attempt()


def _sha256_there(dump: str, inbox: Inbox, warehouse: Warehouse) -> str | None:
    """Of the dump of this name in the inbox or, if it was removed, of the loaded one."""
    if (path := inbox.path_of(dump)).exists():
        return sha256_of(path)  # type: ignore[arg-type] # a UPath has all that reading needs of a Path
    return next((loaded.sha256 for loaded in loaded_dumps(warehouse) if loaded.dump == dump), None)
