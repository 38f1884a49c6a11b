"""A dump, opened: what its fields are, and its lines in blocks that PostgreSQL's COPY takes as they are."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lgs_assets.errors import DumpError
from lgs_assets.sources.columns import CANONICAL_COLUMNS as CANONICAL_COLUMNS
from lgs_assets.sources.compression import explained, unpacked


@dataclass(frozen=True)
class Block:
    """A run of lines. `chunks` can be read once, before the next block is asked for."""

    columns: tuple[str | None, ...]
    """The canonical column of each field, None for a field that is not kept."""
    first_line: int
    """Number of the first line in the dump."""
    encoding: str
    """PostgreSQL's name for the encoding of the lines."""
    chunks: Iterator[bytes]
    """The bytes of the lines, cut anywhere."""


@dataclass(frozen=True)
class Dump:
    """An open dump."""

    path: Path
    copy_format: Literal["text", "csv"]
    """COPY's name for the format of the lines."""
    blocks: Iterator[Block]


@contextmanager
def open_dump(path: Path) -> Iterator[Dump]:
    """Opens a dump for the length of a `with` block: `.sql` or `.csv`, plain, in gzip or in a zip archive.

    Memory does not grow with the file. Raises DumpError, also while the blocks are read, if the file is no such dump.
    """
    from lgs_assets.sources import csv_dump, sql_dump

    with unpacked(path) as (name, stream):
        if name.lower().endswith(".csv"):
            yield csv_dump.parse(path, stream)
        elif name.lower().endswith(".sql"):
            yield sql_dump.parse(path, stream)
        else:
            raise DumpError(f"{path}: expected a file .sql or .csv, alone or in .gz or .zip; found {name}.")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal. Raises DumpError if it cannot be read."""
    with explained(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
