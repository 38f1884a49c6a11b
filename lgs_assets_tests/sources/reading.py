"""How `open_dump` reads some content, taken apart for tests: each good line as values, and the rejects."""

import io
import itertools
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO, NamedTuple, cast

import pytest

from lgs_assets.errors import DumpError
from lgs_assets.sources import CANONICAL_COLUMNS, DateOrder, Reject, open_dump
from lgs_assets.sources.missing import is_missing, shows_error

COLUMNS = ", ".join(CANONICAL_COLUMNS)
COPY = f"COPY public.retail ({COLUMNS}) FROM stdin;\n"
INSERT = f"INSERT INTO public.retail ({COLUMNS}) VALUES "
HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"

Values = tuple[str | None, ...]
LANTERN: Values = ("536365", "85123A", "LANTERN", "6", "2010-12-01 08:26:00", "2.55", "17850", "United Kingdom")
GOOD = "\t".join(map(str, LANTERN)) + "\n"
CSV_GOOD = ",".join(map(str, LANTERN)) + "\n"
ROW = "('536365', '85123A', 'LANTERN', 6, '2010-12-01 08:26:00', 2.55, 17850, 'United Kingdom')"

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Read(NamedTuple):
    """What a dump holds."""

    good: dict[int, Values]
    """The values of each good line by its number, in the order of CANONICAL_COLUMNS."""
    rejects: list[Reject]
    facts: dict[str, str]

    @property
    def lines(self) -> int:
        return len(self.good) + len(self.rejects)


class Memory:
    """A file that is not on the disk: all of a path that `open_dump` needs."""

    name = "a dump"
    protocol = "memory"

    def __init__(self, stream: Callable[[], BinaryIO], size: int) -> None:
        self._stream = stream
        self._size = size

    def __str__(self) -> str:
        return self.name

    def open(self, _: str) -> BinaryIO:
        return self._stream()

    def stat(self) -> Any:
        return SimpleNamespace(st_size=self._size, st_mtime=0.0)


def in_memory(content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    return cast("Path", Memory(lambda: io.BytesIO(data), len(data)))


def read(content: str | bytes | Path, *, dates: DateOrder | None = None, arrived: date | None = None) -> Read:
    """Reads all of a dump. Each line of the file has its own number, in ascending order."""
    good: dict[int, Values] = {}
    rejects: list[Reject] = []
    with open_dump(
        in_memory(content) if isinstance(content, str | bytes) else content, dates=dates, arrived=arrived
    ) as dump:
        last = 0
        for piece in dump.pieces:
            if isinstance(piece, Reject):
                rejects.append(piece)
                numbers = [piece.line]
            else:
                lines = piece.data.decode().removesuffix("\n").split("\n")
                assert len(lines) == piece.lines
                rows = [dict(zip(piece.columns, map(value, line.split("\t")), strict=True)) for line in lines]
                numbers = [int(row.get("line_number") or piece.first_line + at) for at, row in enumerate(rows)]
                assert numbers[0] == piece.first_line
                good |= dict(
                    zip(numbers, [tuple(row[name] for name in CANONICAL_COLUMNS) for row in rows], strict=True)
                )
            assert [last, *numbers] == sorted({last, *numbers})
            last = numbers[-1]
    return Read(good, rejects, dump.facts)


def refusal(content: str | bytes | Path, *, dates: DateOrder | None = None) -> str:
    with pytest.raises(DumpError) as caught:
        read(content, dates=dates)
    return str(caught.value)


def outcome(content: str | bytes) -> Read | str:
    """The lines read, or why there are none."""
    try:
        return read(content)
    except DumpError as error:
        return str(error)


def or_none(text: str | None) -> str | None:
    """A description as the platform stores it: None if it stands for a missing value, or is a spreadsheet's error."""
    return None if text is None or is_missing(text) or shows_error(text, is_description=True) else text


def typed(values: Values) -> tuple[Any, ...]:
    """The values of a line as what they mean."""
    invoice, code, description, quantity, date, price, customer, country = values
    moment: list[Any] = [int(number) for number in re.split(r"\D", str(date).partition(".")[0])]
    fraction = timedelta(microseconds=int(str(date).partition(".")[2].ljust(6, "0")))
    return (
        *(invoice, code, description, int(str(quantity)), datetime(*moment) + fraction),
        *(Decimal(str(price)), None if customer is None else int(Decimal(customer)), country),
    )


def value(field: str) -> str | None:
    """What a field of COPY's text format means, by the manual and not by our own code."""
    if field == "\\N":
        return None
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), field, flags=re.S)


class Repeated(io.RawIOBase):
    """A stream of a piece over and over between a beginning and an end, as long as wanted and never in memory."""

    def __init__(self, beginning: bytes, piece: bytes, *, length: int, end: bytes) -> None:
        self._pieces = itertools.chain([beginning], itertools.repeat(piece, length // len(piece)), [end])
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._pieces, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def endless(beginning: bytes, piece: bytes, *, length: int, end: bytes) -> Path:
    """A file as long as wanted that takes no memory. It is only as seekable as a dump's opening needs."""

    def stream() -> BinaryIO:
        reader = _Rewindable(lambda: Repeated(beginning, piece * (4096 // len(piece) or 1), length=length, end=end))
        return cast("BinaryIO", reader)

    return cast("Path", Memory(stream, len(beginning) + length + len(piece) + len(end)))


class _Rewindable:
    """A stream that can be rewound to its start by starting over."""

    def __init__(self, stream: Callable[[], io.RawIOBase]) -> None:
        self._make = stream
        self.seek(0)

    def __enter__(self) -> "_Rewindable":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def seek(self, position: int) -> None:
        assert position == 0
        self._stream = io.BufferedReader(self._make())
        self._read = 0

    def tell(self) -> int:
        return self._read

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._read += len(data)
        return data
