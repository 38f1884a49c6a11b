"""Office files: zip archives of XML parts, read as streams within bounds. And what a sheet of one is.

Only the element being read is in memory, never a whole part. Entities, which can stand for any amount of text, are
refused: no office program writes them.
"""

import io
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from string import ascii_uppercase
from typing import BinaryIO, NamedTuple, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from lgs_assets.errors import DumpError
from lgs_assets.sources.columns import currency_noted
from lgs_assets.sources.compression import check_expansion, faults_as_dump_errors
from lgs_assets.sources.copy_text import escaped
from lgs_assets.sources.lines import SHOWN_CHARACTERS
from lgs_assets.sources.numbers import POUND

CHUNK_BYTES = 1 << 16
# The bounds of a sheet that Excel and LibreOffice share.
ROW_LIMIT = 1 << 20
COLUMN_LIMIT = 1 << 14
TEXT_LIMIT = 32_767
# The bounds of memory. The longest row that Excel writes takes less than two megabytes.
UNFINISHED_LIMIT_BYTES = 1 << 22
DEPTH_LIMIT = 50
NAMES_LIMIT = 10_000
DESCRIPTION_LIMIT_BYTES = 1 << 24
SHEETS_LIMIT = 1_000
MERGED_LIMIT = 10_000

RANGE = re.compile(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})", re.A)
ERROR_SHOWN = "expected a value; the cell shows the error"
NEVER_COMPUTED = "a formula without a value; open and save the workbook once"
EPOCH = datetime(1899, 12, 30)
# Before this day, Excel counts a 29 February 1900 that other programs do not.
_FIRST_SURE_DAY = datetime(1900, 3, 1)


class UnreadableError(Exception):
    """Why a cell's value cannot be used, and what the cell shows."""

    def __init__(self, shown: str, reason: str) -> None:
        self.shown = escaped(shown) or "?"
        self.reason = reason


class Measured(str):
    """A number in a unit, unless that is the pound or a single item: `€2.55`, `kr2.55`."""

    number: str
    """The number alone, which it is unless it is a price: six pieces are six."""


class Row(NamedTuple):
    """A row of a sheet."""

    number: int
    """As the sheet counts, from 1."""
    cells: dict[int, str]
    """What each cell says, by column from 0: a field of COPY's text format, dates in ISO 8601. No empty cells."""
    faults: dict[int, str]
    """Why a cell's value cannot be used, by column; `cells` then has what the cell shows."""


class Sheet(NamedTuple):
    """A sheet of a workbook."""

    name: str
    hidden: bool
    epoch: datetime
    """The day from which dates are counted."""
    rows: Iterator[Row]
    """The rows that hold something, in order."""
    merged: list[str]
    """The ranges of merged cells, such as A2:A21. Complete once the rows have been read."""


class Package:
    """An archive, and its parts by name; neither case nor the kind of slash matters."""

    def __init__(self, path: Path | str, file: BinaryIO) -> None:
        self.path = path
        self._bytes = file.seek(0, io.SEEK_END)
        self._expanded = 0
        with faults_as_dump_errors(path):
            self._archive = zipfile.ZipFile(file)
        self._members = {_folded(member.filename): member for member in self._archive.infolist()}
        self._counts = Counter(_folded(member.filename) for member in self._archive.infolist())

    def has(self, part: str) -> bool:
        """Whether there is such a part."""
        return _folded(part) in self._members

    def read(self, part: str) -> Iterator[bytes]:
        """The bytes of a part. Raises DumpError if it is missing, ambiguous or damaged, or expands too far."""
        if not self.has(part):
            raise DumpError(f"{self.path}: the workbook lacks its part {part}. Save it again.")
        if self._counts[_folded(part)] > 1:
            raise DumpError(f"{self.path}: the workbook has its part {part} more than once. Save it again.")
        with faults_as_dump_errors(self.path), self._archive.open(self._members[_folded(part)]) as content:
            while chunk := content.read(CHUNK_BYTES):
                self._expanded += len(chunk)
                check_expansion(self.path, self._bytes, self._expanded)
                yield chunk

    def described(self, part: str, names: Collection[str]) -> Iterator[tuple[tuple[Element, ...], Element]]:
        """Like `elements`, for a part that only describes others and cannot be large. Raises DumpError if it is."""
        if self.has(part) and (size := self._members[_folded(part)].file_size) > DESCRIPTION_LIMIT_BYTES:
            raise DumpError(f"{self.path}, {part}: expected at most {DESCRIPTION_LIMIT_BYTES:,} bytes, found {size:,}.")
        return self.elements(part, names)

    def elements(self, part: str, names: Collection[str]) -> Iterator[tuple[tuple[Element, ...], Element]]:
        """Each element of a part with one of these names, once it is complete, and the elements around it.

        A name is a namespace and a local name separated by a blank. Elements within such an element are part of it.
        Raises DumpError if the part is not XML, or was made to exhaust memory.
        """
        where = f"{self.path}, {part}"

        def refuse(*_: object) -> NoReturn:
            raise DumpError(f"{where}: a document type declaration, which no office program writes.")

        builder = TreeBuilder()
        document = builder.start("", {})
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = builder.start
        parser.EndElementHandler = builder.end
        parser.CharacterDataHandler = builder.data
        parser.StartDoctypeDeclHandler = refuse
        unfinished = 0
        try:
            for chunk in self.read(part):
                parser.Parse(chunk)
                found: list[tuple[tuple[Element, ...], Element]] = []
                taken = _take(document, names, (), found, whole=False)
                yield from found
                unfinished = 0 if taken else unfinished + len(chunk)
                if unfinished > UNFINISHED_LIMIT_BYTES:
                    raise DumpError(f"{where}: an element of more than {UNFINISHED_LIMIT_BYTES:,} bytes.")
                if len(parser.intern) > NAMES_LIMIT:
                    raise DumpError(f"{where}: more than {NAMES_LIMIT:,} different names of elements and attributes.")
            parser.Parse(b"", True)
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise DumpError(f"{where}: not well-formed XML: {error}. Save the workbook again.") from error
        found = []
        _take(document, names, (), found, whole=True)
        yield from found


def _take(
    element: Element,
    names: Collection[str],
    around: tuple[Element, ...],
    found: list[tuple[tuple[Element, ...], Element]],
    *,
    whole: bool,
) -> bool:
    """Takes finished children out of an element, and keeps those with one of the names. Returns whether it took any.

    Only the last child can be unfinished, and only if the element itself is.
    """
    if len(around) > DEPTH_LIMIT:
        raise ValueError(f"elements nested more than {DEPTH_LIMIT} deep")
    children = list(element)
    unfinished = children.pop() if children and not whole else None
    for child in children:
        if child.tag in names:
            found.append((around, child))
        else:
            _take(child, names, (*around, child), found, whole=True)
    del element[: len(children)]
    taken = bool(children)
    if unfinished is not None and unfinished.tag not in names:
        taken |= _take(unfinished, names, (*around, unfinished), found, whole=False)
    return taken


@lru_cache(1 << 10)
def moment(serial: str, epoch: datetime) -> str | None:
    """The date and time of a serial number, to the millisecond, in ISO 8601. None if it stands for none."""
    try:
        date = epoch + timedelta(milliseconds=round(float(serial) * 86_400_000))
    except (ValueError, OverflowError):
        return None
    return str(date) if date >= max(epoch, _FIRST_SURE_DAY) else None


def number(text: str) -> str:
    """A number as the shortest text with its value. Raises ValueError if it is not a number."""
    if text.isascii() and text.isdigit() and text[0] != "0":
        return text
    if "_" in text:  # Python reads 1_0 as 10
        raise ValueError(f"expected a number, found {text[:SHOWN_CHARACTERS]!r}")
    return repr(float(text)).removesuffix(".0")


def measured(number: str, unit: str) -> str:
    """A number with the unit that its cell shows beside it; blanks and brackets are none, and pounds are understood."""
    if not any(c.isalpha() or c in "%‰" or unicodedata.category(c) == "Sc" for c in unit):
        return number
    if (currency := currency_noted(unit)) in ("", POUND):
        return number
    field = Measured(text_field((currency or unit.strip()) + number))
    field.number = number
    return field


def text_field(text: str) -> str:
    """A text as a field of COPY's text format. Raises UnreadableError if it is longer than a cell can hold."""
    if len(text) > TEXT_LIMIT:
        raise UnreadableError(
            text[:SHOWN_CHARACTERS], f"a text of {len(text):,} characters; a cell holds {TEXT_LIMIT:,}"
        )
    return escaped(text)


def error_shown(text: str) -> UnreadableError:
    """The fault of a cell that shows an error such as #N/A."""
    return UnreadableError(text, f"{ERROR_SHOWN} {text[:SHOWN_CHARACTERS]}")


@lru_cache(COLUMN_LIMIT)
def column_of(letters: str) -> int:
    """The column of a reference like AZ, from 0. Raises ValueError if it is not a column, or beyond the last one."""
    column = 0
    for letter in letters.upper():
        if letter not in ascii_uppercase or column > COLUMN_LIMIT:
            raise ValueError(f"expected the letters of a column, found {letters[:SHOWN_CHARACTERS]!r}")
        column = column * len(ascii_uppercase) + ascii_uppercase.index(letter) + 1
    if not 0 < column <= COLUMN_LIMIT:
        raise ValueError(f"expected a column from A to XFD, found {letters[:SHOWN_CHARACTERS]!r}")
    return column - 1


def note_merged(areas: list[str], area: str) -> None:
    """Adds a range of merged cells to those of a sheet. Raises ValueError if they are too many."""
    if len(areas) == MERGED_LIMIT:
        raise ValueError(f"more than {MERGED_LIMIT:,} areas of merged cells")
    areas.append(area)


def letters_of(column: int) -> str:
    """The letters of a column, counted from 0."""
    before, at = divmod(column, len(ascii_uppercase))
    return (letters_of(before - 1) if before else "") + ascii_uppercase[at]


def _folded(part: str) -> str:
    return re.sub(r"[\\/]+", "/", part).strip("/").lower()
