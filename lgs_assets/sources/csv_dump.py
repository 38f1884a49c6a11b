"""CSV dumps: one header line, then one record a line, comma separated, UTF-8."""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lgs_assets.errors import DumpError
from lgs_assets.sources.columns import canonical
from lgs_assets.sources.dump import Block, Dump

CHUNK_BYTES = 1 << 18
HEADER_LIMIT_BYTES = 1 << 16


def parse(path: Path, stream: BinaryIO) -> Dump:
    """A CSV file as a dump. Raises DumpError if its header does not name every canonical column."""
    header = stream.readline(HEADER_LIMIT_BYTES).removeprefix(codecs.BOM_UTF8)
    try:
        names = next(csv.reader([header.decode().rstrip("\r\n")]), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise DumpError(f"{path}, line 1: expected a header of column names in UTF-8: {error}.") from error
    columns = canonical(names, where=f"{path}, line 1")

    def chunks() -> Iterator[bytes]:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk

    return Dump(path, "csv", "UTF8", iter([Block(columns, 2, chunks())]))
