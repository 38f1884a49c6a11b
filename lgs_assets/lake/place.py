"""The place of the lake, a folder or a bucket: files are looked at there, and swept."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
from upath import UPath

from lgs_assets.arrivals import inbox
from lgs_assets.errors import LgsError, UnavailableError
from lgs_assets.warehouse.database import Cursor

# Who was told of files before they were replaced has so long to read them.
GRACE = timedelta(hours=1)


@dataclass(frozen=True)
class Place:
    """Where the lake is: a folder, by its absolute path, or the URL of a bucket and a folder in it."""

    location: str

    @cached_property
    def _root(self) -> UPath:
        return inbox.place(self.location)

    @property
    def fs(self) -> Any:
        """The file system of fsspec that reaches it."""
        return self._root.fs

    @property
    def arrow_fs(self) -> Any:
        """The same for Arrow, which reads a folder itself."""
        return self.fs if self._root.protocol else None

    def url(self, *below: str) -> str:
        """The path or URL of what lies below the lake."""
        return "/".join([self.location.rstrip("/"), *below])

    def path(self, *below: str) -> str:
        """The same, as the file system calls it."""
        return self._root.joinpath(*below).path

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turns what goes wrong with the lake as a whole into an LgsError that says what to do."""
        try:
            yield
        except (LgsError, psycopg.Error, TypeError, AttributeError):  # those are no fault of the lake
            raise
        except Exception as error:  # each driver has errors of its own
            reason = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
            # What happens to a bucket may pass.
            kind = UnavailableError if "://" in self.location else LgsError
            raise kind(
                f"{self.location}: the lake is out of reach: {reason}. "
                "Check LGS_LAKE and, of a bucket, the credentials in the environment."
            ) from error

    def settle(self, location: str) -> tuple[list[str], int, int]:
        """The Parquet files of a folder that is complete, by name, their rows and their bytes. They are on the disk."""
        with self.explained():
            found = self.fs.find(self.path(location), detail=True)
            sizes = {path: info["size"] for path, info in sorted(found.items()) if path.endswith(".parquet")}
            rows = 0
            for path in sizes:
                with self.fs.open(path, "rb") as file:
                    rows += pq.read_metadata(file).num_rows
            if not self._root.protocol:
                folders = {str(folder) for path in sizes for folder in Path(path).parents[:3]}
                for written in (*sizes, *folders):
                    _flush(written)
            names = [path.rpartition("/")[2] for path in sizes]
        return names, rows, sum(sizes.values())

    def delete(self, location: str) -> None:
        """Deletes a folder, if it is there."""
        with self.explained(), suppress(FileNotFoundError):
            self.fs.rm(self.path(location), recursive=True)


def sweep(cursor: Cursor, place: Place, table: str) -> None:
    """Deletes what failed writes of the table left, and what was replaced long ago.

    The caller holds the lock for writing the table: no other write of it is under way.
    """
    cursor.execute(
        "select location from lake_parts where table_name = %s and (published_at is null or retired_at < now() - %s)",
        [table, GRACE],
    )
    for (location,) in cursor.fetchall():
        place.delete(location)
        cursor.execute("delete from lake_parts where location = %s", [location])


def _flush(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
