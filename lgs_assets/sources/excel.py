"""What both forms of an Excel workbook share: how parts refer to each other, number formats, the shared texts."""

import posixpath
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import TypeVar

from lgs_assets.errors import DumpError
from lgs_assets.sources.office import NAMES_LIMIT, Package, measured, moment, number

Described = TypeVar("Described")

EPOCH_1904 = datetime(1904, 1, 1)

_RELATIONSHIP = "http://schemas.openxmlformats.org/package/2006/relationships Relationship"
# The numbers of the built-in formats that show dates; no workbook spells them out.
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(50, 59)}
# Parts of a format that do not make it a date: texts, single characters, colours, currencies, exponents.
_NO_DATE = re.compile(r'"[^"]*"|[\\_*].|\[(?!h+\]|m+\]|s+\])[^\]]*\]|E[+-]', re.I)
# The parts of a format. [$€-407] names a currency and a language, [$-407] only a language. A unit may also be a text in
# quotes, single characters, or letters and signs by themselves.
_PART = re.compile(
    r"""
      "(?P<text>[^"]*)"? | \\(?P<single>.) | \[\$(?P<currency>[^\]-]*)(?:-[^\]]*)?\] | (?P<end>;)
    | [_*]. | \[[^\]]*\] | General | E[+-] | (?P<bare>[^\W\d_]|[^\x00-\x7f]|\$)
    """,
    re.VERBOSE | re.S | re.I,
)
# How much memory the shared texts of cells may take, with the overhead of each.
TEXTS_LIMIT_BYTES = 1 << 28
BYTES_A_TEXT = 100
BYTES_A_REPETITION = 8
STYLES_LIMIT = 1 << 17  # twice as many as Excel itself allows
FORMAT_LIMIT = 255  # characters, as in Excel: the time to read a format grows with their square


def related(package: Package, part: str) -> list[tuple[str, str, str]]:
    """What a part of the package refers to: the kind, the identity and the name of each other part."""
    folder, name = posixpath.split(part)
    relations = posixpath.join(folder, "_rels", f"{name}.rels")
    if not package.has(relations):
        return []
    found = [
        (
            element.get("Type", "").rpartition("/")[2],
            element.get("Id", ""),
            posixpath.normpath(posixpath.join("/", folder, element.get("Target", ""))),
        )
        for _, element in islice(package.described(relations, {_RELATIONSHIP}), NAMES_LIMIT + 1)
    ]
    if len(found) > NAMES_LIMIT:
        raise DumpError(f"{package.path}, {relations}: refers to more than {NAMES_LIMIT:,} parts.")
    return found


class CellStyles:
    """What the styles of cells show a number as, each style known by its place in the list of the workbook."""

    def __init__(self) -> None:
        self._date_formats = set(_DATE_FORMATS)
        self._units: dict[int, str] = {}
        self._styles: list[int] = []

    def declare(self, identity: int, pattern: str, *, where: str) -> None:
        """A number format of the workbook. Raises DumpError, which starts with `where`, if it is too long."""
        if len(pattern) > FORMAT_LIMIT:
            raise DumpError(
                f"{where}: a number format of more than {FORMAT_LIMIT} characters. Save the workbook again."
            )
        is_of_dates = _shows_date(pattern)
        (self._date_formats.add if is_of_dates else self._date_formats.discard)(identity)
        self._units[identity] = "" if is_of_dates else _unit_shown(pattern)

    def append(self, number_format: int) -> None:
        """The next style has this format."""
        self._styles.append(number_format)

    def shown(self, value: str, style: int, epoch: datetime) -> str:
        """A number as a cell of a style shows it: a date in ISO 8601, or in its unit unless that is the pound."""
        number_format = self._styles[style] if style < len(self._styles) else 0
        date = moment(value, epoch) if number_format in self._date_formats else None
        return date or measured(number(value), self._units.get(number_format, ""))


def limited(package: Package, part: str, described: Iterable[Described]) -> Iterator[Described]:
    """What describes styles. Raises DumpError if that is too much."""
    for count, description in enumerate(described):
        if count == STYLES_LIMIT:
            raise DumpError(f"{package.path}, {part}: more than {STYLES_LIMIT:,} styles.")
        yield description


def remembered(package: Package, texts: Iterable[str]) -> Iterator[str]:
    """The shared texts of cells, each in memory once. Raises DumpError if they take too much of it."""
    known: dict[str, str] = {}
    memory = 0
    for text in texts:
        memory += BYTES_A_REPETITION if text in known else sys.getsizeof(text) + BYTES_A_TEXT
        if memory > TEXTS_LIMIT_BYTES:
            raise DumpError(f"{package.path}: its texts take more than {TEXTS_LIMIT_BYTES >> 20} MB. Save it as CSV.")
        known.setdefault(text, text)
        yield known[text]


def _shows_date(pattern: str) -> bool:
    """Whether a format shows a number as a date or a time of day; elapsed time, [h]:mm, is neither."""
    signs = _NO_DATE.sub("", pattern).partition(";")[0].lower()
    return "[" not in signs and signs != "general" and any(sign in signs for sign in "ymdhs")


def _unit_shown(pattern: str) -> str:
    """The texts beside the digits in a format for positive numbers."""
    unit = ""
    for part in _PART.finditer(pattern):
        if part["end"]:
            break
        unit += part["text"] or part["single"] or part["currency"] or part["bare"] or ""
    return unit
