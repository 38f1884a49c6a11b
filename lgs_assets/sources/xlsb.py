"""The sheets of a binary Excel workbook (.xlsb): records instead of XML, as [MS-XLSB] describes them.

A record is its kind, its length and its fields, all in little-endian order. Only the kinds that matter here are read.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import lru_cache
from math import isfinite

from lgs_assets.errors import DumpError
from lgs_assets.sources.excel import EPOCH_1904, CellStyles, limited, related, remembered
from lgs_assets.sources.office import (
    COLUMN_LIMIT,
    EPOCH,
    ROW_LIMIT,
    Package,
    Row,
    Sheet,
    UnreadableError,
    error_shown,
    letters_of,
    note_merged,
    text_field,
)

FORMAT = "Binary Excel workbook"
WORKBOOK = "xl/workbook.bin"

RECORD_LIMIT_BYTES = 1 << 20  # a text of 32,767 characters takes 64 KB, and its phonetic guide about as much again
VALUES_REMEMBERED = 1 << 10

_ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}  # fmt: skip


class _Kind(IntEnum):
    """The kinds of records that are read."""

    ROW = 0
    BLANK = 1
    PACKED_NUMBER = 2
    ERROR = 3
    BOOLEAN = 4
    NUMBER = 5
    TEXT = 6
    SHARED_TEXT = 7
    COMPUTED_TEXT = 8
    COMPUTED_NUMBER = 9
    COMPUTED_BOOLEAN = 10
    COMPUTED_ERROR = 11
    RICH_TEXT = 62
    SHARED_TEXT_ITEM = 19
    NUMBER_FORMAT = 44
    STYLE = 47
    PROPERTIES = 153
    SHEET = 156
    MERGED = 176
    STYLES = 617
    END_OF_STYLES = 618


_CELLS = {*range(_Kind.BLANK, _Kind.COMPUTED_ERROR + 1), _Kind.RICH_TEXT}
# A cell right of another may leave its column out, and has a kind of its own for that.
_SHORT = {kind + 11: kind for kind in range(_Kind.BLANK, _Kind.SHARED_TEXT + 1)}


def sheets(package: Package) -> Iterator[Sheet]:
    """The sheets in the order of their tabs. Raises DumpError if there are none, or if a record is damaged."""
    book = _Book(package)
    for part, name, is_hidden in book.tabs:
        merged: list[str] = []
        yield Sheet(name, is_hidden, book.epoch, _rows(book, part, merged), merged)
    if not book.tabs:
        raise DumpError(f"{package.path}: expected an Excel workbook; the archive holds none.")


class _Book:
    """What the sheets of a workbook share, and what a cell means with it."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.epoch = EPOCH
        self.tabs: list[tuple[str, str, bool]] = []
        """The part and the name of each sheet, and whether it is hidden."""
        others = related(package, WORKBOOK)
        targets = {identity: target for _, identity, target in others}
        with _expecting_whole_records(package, WORKBOOK):
            for kind, fields in _records(package, WORKBOOK):
                if kind == _Kind.PROPERTIES and fields[0] & 1:
                    self.epoch = EPOCH_1904
                elif kind == _Kind.SHEET:
                    identity, after = _text(fields, 8)
                    name, _ = _text(fields, after)
                    self.tabs.append((targets.get(identity, identity), name, _whole(fields, 0) != 0))
        parts = {kind: target for kind, _, target in others}
        texts = _shared_texts(package, parts["sharedStrings"]) if "sharedStrings" in parts else ()
        self._texts = list(remembered(package, texts))
        self._styles = _styles(package, parts["styles"]) if "styles" in parts else CellStyles()
        self._number = lru_cache(VALUES_REMEMBERED)(self._shown)  # most cells repeat one of the rows above

    def meaning(self, kind: int, fields: bytes) -> str:
        """What a cell says, as a field; empty if it is. Raises UnreadableError if it shows an error."""
        if kind == _Kind.BLANK:
            return ""
        if kind == _Kind.SHARED_TEXT:
            return self._texts[_whole(fields, 8)]
        if kind in (_Kind.NUMBER, _Kind.COMPUTED_NUMBER):
            return self._number(*struct.unpack_from("<d", fields, 8), _whole(fields, 4))
        if kind == _Kind.PACKED_NUMBER:
            return self._number(_unpacked(_whole(fields, 8)), _whole(fields, 4))
        if kind in (_Kind.TEXT, _Kind.COMPUTED_TEXT):
            return text_field(_text(fields, 8)[0])
        if kind == _Kind.RICH_TEXT:
            return text_field(_text(fields, 9)[0])
        if kind in (_Kind.BOOLEAN, _Kind.COMPUTED_BOOLEAN):
            return "TRUE" if fields[8] else "FALSE"
        raise error_shown(_ERRORS.get(fields[8], "#UNKNOWN!"))

    def _shown(self, value: float, style: int) -> str:
        if not isfinite(value):
            raise error_shown(_ERRORS[0x24])
        return self._styles.shown(repr(value), style & 0xFFFFFF, self.epoch)


def _rows(book: _Book, part: str, merged: list[str]) -> Iterator[Row]:
    row, column = Row(0, {}, {}), -1
    with _expecting_whole_records(book.package, part):
        for kind, fields in _records(book.package, part):
            if kind in _SHORT:
                kind, fields = _SHORT[kind], struct.pack("<I", column + 1) + fields
            if kind in _CELLS:
                if (column := _whole(fields, 0)) >= COLUMN_LIMIT or column in row.cells:
                    raise _damage(book.package, part, f"a cell out of place in row {row.number}")
                try:
                    field = book.meaning(kind, fields)
                except UnreadableError as error:
                    field, row.faults[column] = error.shown, error.reason
                if field:
                    row.cells[column] = field
            elif kind == _Kind.ROW:
                if row.cells:
                    yield row
                if not row.number <= (before := _whole(fields, 0)) < ROW_LIMIT:
                    raise _damage(book.package, part, f"row {before + 1} after row {row.number}")
                row, column = Row(before + 1, {}, {}), -1
            elif kind == _Kind.MERGED:
                top, bottom, left, right = struct.unpack_from("<IIII", fields)
                note_merged(merged, f"{letters_of(left)}{top + 1}:{letters_of(right)}{bottom + 1}")
    if row.cells:
        yield row


@contextmanager
def _expecting_whole_records(package: Package, part: str) -> Iterator[None]:
    """Turns what happens when a record lacks fields, or has one that nothing can mean, into a DumpError."""
    try:
        yield
    except (struct.error, IndexError, ValueError) as error:
        raise _damage(package, part, f"a record that cannot be read: {error}") from error
    except UnreadableError as error:
        raise _damage(package, part, error.reason) from error


def _records(package: Package, part: str) -> Iterator[tuple[int, bytes]]:
    """The kind and the fields of each record. Raises DumpError if the part ends within one, or one is too long."""
    data, at = b"", 0
    for chunk in package.read(part):
        data, at = data[at:] + chunk, 0
        while (head := _head(data, at)) is not None:
            kind, length, start = head
            if length > RECORD_LIMIT_BYTES:
                raise _damage(package, part, f"a record of {length:,} bytes")
            if start + length > len(data):
                break
            at = start + length
            yield kind, data[start:at]
    if at < len(data):
        raise _damage(package, part, "the end within a record")


def _head(data: bytes, at: int) -> tuple[int, int, int] | None:
    """The kind and the length of a record, seven bits a byte, and where its fields begin. None if more is to come."""
    numbers = []
    for longest in (2, 4):
        number = 0
        for place in range(longest):
            if at == len(data):
                return None
            number |= (data[at] & 0x7F) << 7 * place
            at += 1
            if data[at - 1] < 0x80:
                break
        numbers.append(number)
    return numbers[0], numbers[1], at


def _shared_texts(package: Package, part: str) -> Iterator[str]:
    """The texts that cells refer to by their index."""
    with _expecting_whole_records(package, part):
        for kind, fields in _records(package, part):
            if kind == _Kind.SHARED_TEXT_ITEM:
                yield text_field(_text(fields, 1)[0])


def _styles(package: Package, part: str) -> CellStyles:
    styles, is_of_cells = CellStyles(), False
    with _expecting_whole_records(package, part):
        for kind, fields in limited(package, part, _records(package, part)):
            if kind in (_Kind.STYLES, _Kind.END_OF_STYLES):
                is_of_cells = kind == _Kind.STYLES
            elif kind == _Kind.NUMBER_FORMAT:
                (number_format,) = struct.unpack_from("<H", fields)
                styles.declare(number_format, _text(fields, 2)[0], where=f"{package.path}, {part}")
            elif kind == _Kind.STYLE and is_of_cells:
                styles.append(*struct.unpack_from("<H", fields, 2))
    return styles


def _whole(fields: bytes, at: int) -> int:
    (number,) = struct.unpack_from("<I", fields, at)
    return int(number)


def _unpacked(number: int) -> float:
    """A number in 32 bits: a whole one, or the upper half of a binary one; perhaps in hundredths."""
    whole = (number ^ 0x8000_0000) - 0x8000_0000 >> 2
    value = float(whole) if number & 2 else struct.unpack("<d", struct.pack("<Q", (number & ~3) << 32))[0]
    return value / 100 if number & 1 else value


def _text(fields: bytes, at: int) -> tuple[str, int]:
    """A text, and where it ends."""
    characters = _whole(fields, at)
    end = at + 4 + 2 * characters
    if end > len(fields):
        raise struct.error(f"a text of {characters:,} characters")
    return fields[at + 4 : end].decode("utf-16-le", "replace"), end


def _damage(package: Package, part: str, found: str) -> DumpError:
    return DumpError(f"{package.path}, {part}: found {found}. Save the workbook again.")
