"""CSV dumps: a line of column names, then a record a line, separated by commas, semicolons, tabs or bars."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from lgs_assets.errors import DumpError
from lgs_assets.sources.columns import canonical, described
from lgs_assets.sources.copy_text import NULL
from lgs_assets.sources.encoding import Decoder
from lgs_assets.sources.lines import Lines, Reject, legible

CHUNK_BYTES = 1 << 18
HEADER_LIMIT_BYTES = 1 << 16
BATCH_RECORDS = 4096

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
# What stands for a missing value. SQL Server's tools write NULL.
_MISSING = (b"", b"NULL")


def parse(path: Path, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines | Reject]:
    """The records of a CSV file. Raises DumpError if its header does not name every canonical column."""
    header = stream.readline(HEADER_LIMIT_BYTES)
    decoder = Decoder()
    text = decoder(header).decode(errors="replace").rstrip("\r\n")
    delimiter = max(_DELIMITERS, key=text.count)
    try:
        names = next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error as error:
        raise DumpError(f"{path}, line 1: expected a header of column names: {error}.") from error
    columns = canonical(names, where=f"{path}, line 1")
    facts |= {"format": "CSV", "delimiter": _DELIMITERS[delimiter]} | described(names, columns)
    source = _Source(stream, decoder, delimiter)
    yield from _records(source, columns, delimiter)
    facts["encoding"] = facts.get("encoding", decoder.name)


def _records(source: "_Source", columns: tuple[str | None, ...], delimiter: str) -> Iterator[Lines | Reject]:
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        first_line = source.forget()
        try:
            rows = list(islice(reader, BATCH_RECORDS))
        except csv.Error:
            rows = []
        if not source.taken:
            return
        if len(rows) == len(source.taken) and [] not in rows:
            yield Lines(columns, first_line, _as_copy_text(rows), [original for original, _ in source.taken])
        else:  # a record has several lines, or is none
            several = len(source.taken)
            source.put_back(0)
            yield from _one_by_one(source, columns, delimiter, first_line + several)
            reader = csv.reader(source, delimiter=delimiter, strict=True)


def _one_by_one(
    source: "_Source", columns: tuple[str | None, ...], delimiter: str, end: int
) -> Iterator[Lines | Reject]:
    """The records up to a line. Of one that spans lines and is broken, only the first line is given up."""
    while (line := source.forget()) < end:
        problem = None
        try:
            row = next(csv.reader(source, delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            row, problem = [], f"the quotes are wrong: {error}"
        if len(source.taken) > 1 and len(row) != len(columns):
            problem = "a quotation begins that does not end where it should"
            source.put_back(1)
        if problem:
            yield Reject(line, legible(source.taken[0][0]), None, problem)
        elif row:  # a blank line is no record
            original = b"".join(original for original, _ in source.taken)
            yield Lines(columns, line, _as_copy_text([[field.replace("\n", "\\n") for field in row]]), [original])


def _as_copy_text(rows: Sequence[Sequence[str]]) -> bytes:
    """Records whose backslashes and tabs are escaped already as lines of COPY's text format."""
    data = b"\t" + "\t\n\t".join(map("\t".join, rows)).encode(errors="surrogateescape") + b"\t\n"
    if b"\r" in data:
        data = data.replace(b"\r", b"\\r")
    for missing in _MISSING:
        for _ in range(2):  # neighbours share the tab between them
            data = data.replace(b"\t%b\t" % missing, b"\t%b\t" % NULL)
    return data[1:].replace(b"\t\n\t", b"\n").removesuffix(b"\t\n") + b"\n"


class _Source:
    """The lines of the file, decoded and with what COPY escapes escaped; remembers those that were taken."""

    def __init__(self, stream: BinaryIO, decoder: Decoder, delimiter: str) -> None:
        self.taken: list[tuple[bytes, str]] = []
        """Each line taken since `forget`: as it stands in the file, and as it was handed out."""
        self._stream = stream
        self._decoder = decoder
        self._escapes = {"\\": r"\\"} | ({} if delimiter == "\t" else {"\t": r"\t"})
        self._ready: deque[tuple[bytes, str]] = deque()
        self._line = 2

    def __iter__(self) -> "_Source":
        return self

    def __next__(self) -> str:
        if not self._ready:
            self._read()
        self.taken.append(self._ready.popleft())
        return self.taken[-1][1]

    def forget(self) -> int:
        """Forgets what was taken. Returns the number of the line that comes next."""
        self._line += len(self.taken)
        self.taken = []
        return self._line

    def put_back(self, kept: int) -> None:
        """Takes back what was taken, but for the first lines."""
        self._ready.extendleft(reversed(self.taken[kept:]))
        del self.taken[kept:]

    def _read(self) -> None:
        chunk = self._stream.read(CHUNK_BYTES)
        if not chunk:
            raise StopIteration
        data = chunk + self._stream.readline()
        text = self._decoder(data).decode(errors="surrogateescape")
        for character, escape in self._escapes.items():
            text = text.replace(character, escape)
        self._ready.extend(zip(data.split(b"\n"), text.split("\n"), strict=True))
        if not self._ready[-1][0]:
            self._ready.pop()
