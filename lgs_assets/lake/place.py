"""The place of the lake, a folder or a bucket, where files are measured and deleted."""

import os
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
from upath import UPath

from lgs_assets.places import open_place, reaching

VARIABLE = "LGS_LAKE"
"""The variable that says where the lake is."""


@dataclass(frozen=True)
class Place:
    """Where the lake is: a folder, by its absolute path, or the URL of a bucket and a folder in it."""

    location: str

    @cached_property
    def _root(self) -> UPath:
        return open_place(self.location, variable=VARIABLE)

    @property
    def fs(self) -> Any:
        """The fsspec file system that reaches it."""
        return self._root.fs

    @property
    def arrow_fs(self) -> Any:
        """The same for Arrow, which reads a folder itself."""
        return self.fs if self._root.protocol else None

    def url(self, *below: str) -> str:
        """The path or URL of a place in the lake."""
        return "/".join([self.location.rstrip("/"), *below])

    def path(self, *below: str) -> str:
        """The same, as the file system calls it."""
        return self._root.joinpath(*below).path

    def reaching(self) -> AbstractContextManager[None]:
        """Turns failures to reach the lake into an LgsError that says what to do."""
        passing = (psycopg.Error, TypeError, AttributeError)  # those are not the lake's fault
        return reaching(self.location, variable=VARIABLE, passing=passing, what="the lake")

    def settle(self, location: str) -> tuple[list[str], int, int]:
        """The Parquet files of a complete folder, by name, their rows and bytes. They are flushed to disk."""
        with self.reaching():
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
        """Deletes a folder, if it exists."""
        with self.reaching(), suppress(FileNotFoundError):
            self.fs.rm(self.path(location), recursive=True)


def _flush(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
