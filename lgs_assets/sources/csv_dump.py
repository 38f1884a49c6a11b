"""CSV dumps: one header line, then one record a line, comma separated, UTF-8."""

import codecs
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lgs_assets.errors import DumpError
from lgs_assets.sources.columns import canonical
from lgs_assets.sources.dump import Block, Dump

CHUNK_BYTES = 1 << 18
HEADER_LIMIT_BYTES = 1 << 16
HELD_LIMIT_BYTES = 1 << 16

# Before PostgreSQL 18, COPY takes this line for the end, and drops what follows without a word.
_END_MARK = re.compile(rb"[\r\n]\\\.(?=[\r\n])")
_LONGEST_END_MARK = b"\n\\.\r"


def parse(path: Path, stream: BinaryIO) -> Dump:
    """A CSV file as a dump. Raises DumpError if its header does not name every canonical column."""
    header = stream.readline(HEADER_LIMIT_BYTES).removeprefix(codecs.BOM_UTF8)
    try:
        names = next(csv.reader([header.decode().rstrip("\r\n")]), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise DumpError(
            f"{path}, line 1: expected a header of column names, separated by commas, in UTF-8: {error}."
        ) from error
    columns = canonical(names, where=f"{path}, line 1")
    return Dump(path, "csv", iter([Block(columns, 2, "UTF8", _records(path, stream))]))


def _records(path: Path, stream: BinaryIO) -> Iterator[bytes]:
    """What follows the header, without the blank lines at its end. Raises DumpError at a line that is an end mark."""
    # Held back is what may turn out to be blank lines at the end or part of an end mark, after the byte before it,
    # which has been handed out: at first the end of the header.
    line, held = 1, b"\n"
    while chunk := stream.read(CHUNK_BYTES):
        data = held + chunk
        if mark := _END_MARK.search(data):
            raise _end_mark_error(path, line + data.count(b"\n", 0, mark.end()))
        end = len(data.rstrip(b"\r\n\\."))
        if len(data) - end > HELD_LIMIT_BYTES:
            end = len(data) - len(_LONGEST_END_MARK)
        end = max(1, end)
        yield data[1:end]
        held = data[end - 1 :]
        line += data.count(b"\n", 0, end - 1)
    if mark := _END_MARK.search(held + b"\n"):
        raise _end_mark_error(path, line + held.count(b"\n", 0, mark.end()))
    yield held[1:].rstrip(b"\r\n")


def _end_mark_error(path: Path, line: int) -> DumpError:
    return DumpError(
        f"{path}, line {line}: the line holds nothing but \\., which some servers take for the end of the data. "
        "Remove it."
    )
