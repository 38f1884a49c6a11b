"""What a page is made of: tables, figures with the question that they answer, and how values are written.

A figure and its table hold the same values, and the files of both are made from them: they cannot differ.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, Self

from lgs_assets import wording
from lgs_assets.dashboard.figures.shapes import Drawing
from lgs_assets.escaping import csv_cell

FEWEST: Final = 30
"""Customers below which a percentage or a median says too little."""
FEW: Final = "too few to say"
DOT: Final = "·"
"""The same, where many such values stand together."""
DOT_NOTE: Final = f"{DOT} Fewer than {FEWEST} customers: {FEW}."

Kind = Literal[
    "text", "words", "day", "month", "moment", "count", "change_count", "pounds", "whole_pounds", "change_pounds",
    "percent", "change_percent", "whole_percent", "decimal",
]  # fmt: skip
_WORDLESS: Final = ("text", "words", "day", "month", "moment")


@dataclass(frozen=True)
class Link:
    """A value that leads somewhere."""

    value: Any
    href: str


@dataclass(frozen=True)
class Few:
    """A value of too few customers to say anything."""

    value: Any
    is_marked: bool = False
    """Whether a page and a picture show a dot in its place, which a note explains: where many stand together."""


@dataclass(frozen=True)
class Bar:
    """A value with a bar, in percent of the longest; negative to the left."""

    value: Any
    percent: float
    fill: str = ""
    diverges: bool = False
    """Whether the column has values on both sides of 0."""

    @classmethod
    def of(cls, value: Any, most: Decimal | float, fill: str = "", *, diverges: bool = False) -> Self:
        """A value beside the longest of its column, which may be 0."""
        return cls(value, float(bare(value) / most * 100) if most else 0, fill, diverges)


@dataclass(frozen=True)
class Shade:
    """A value on one of ten shades, 0 the lightest, and what a pointer over it says."""

    value: Any
    shade: int
    title: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table: its name in files, its heading and how its values are written."""

    name: str
    label: str
    kind: Kind = "text"
    sort: str = ""
    """The key by which a click on the heading sorts; empty if it does not."""

    @property
    def is_number(self) -> bool:
        """Whether it is set flush right."""
        return self.kind not in _WORDLESS


@dataclass(frozen=True)
class Table:
    """Rows under columns, all values as they are in the tables."""

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Any]]
    heading: str = ""
    """The name of the rows, for those who cannot see the page."""

    @classmethod
    def of(cls, columns: Iterable[Column], rows: Iterable[Mapping[str, Any]], heading: str = "") -> Self:
        """Of rows that hold a value under the name of each column, and perhaps others."""
        columns = tuple(columns)
        return cls(columns, [[row[column.name] for column in columns] for row in rows], heading)

    def plain(self) -> list[list[Any]]:
        """The values alone."""
        return [[bare(value) for value in row] for row in self.rows]

    def as_csv(self) -> str:
        """As a CSV file that no spreadsheet takes for formulas."""
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow([column.name for column in self.columns])
        writer.writerows([[cell(value) for value in row] for row in self.plain()])
        return file.getvalue()


@dataclass(frozen=True)
class Figure:
    """A question, the drawing that answers it, and the table of the same values."""

    name: str
    question: str
    table: Table
    drawing: Drawing | None = None
    note: str = ""
    key: Sequence[tuple[str, str]] = field(default_factory=tuple)
    """Names and colours of what is drawn."""


@dataclass(frozen=True)
class Number:
    """A number at the head of a page, and what it compares with."""

    label: str
    value: str
    remarks: Sequence[str] = ()
    link: str = ""


def is_plain(value: object) -> bool:
    """Whether it is the value alone, which leads nowhere and is shown as any other."""
    return not isinstance(value, (Link, Few, Bar, Shade))


def bare(value: Any) -> Any:
    """The value alone, without where it leads and how it is shown."""
    while not is_plain(value):
        value = value.value
    return value


def cell(value: Any) -> Any:
    """A value as a cell of a file: text made safe, numbers exact, nothing for NULL."""
    if isinstance(value, str):
        return csv_cell(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else value


def written(value: Any, kind: Kind = "text") -> str:
    """A value as people read it."""
    if value is None:
        return "–"
    if kind == "day":
        return wording.day(value)
    if kind == "month":
        return wording.month(value)
    if kind == "moment":
        return f"{wording.day(value)} {value:%H:%M}"
    if isinstance(value, (int, float, Decimal)) and kind in _WORDS:
        text: str = _WORDS[kind](value)
        return text
    return str(value)


def share(part: Decimal | float, whole: Decimal | float, *, customers: int, digits: int = 1) -> str:
    """A part as a percentage of the whole, or that it is of too few customers."""
    if customers < FEWEST or not whole:
        return FEW
    return wording.percent(float(part) / float(whole) * 100, digits)


def compared(now: Decimal | float | None, before: Decimal | float | None, *, than: str, customers: int) -> str:
    """`+12.1 % on Nov 2010`; why not, if nothing or too few customers are there to compare with."""
    if now is None or before is None or before <= 0:
        return f"nothing to compare with in {than}"
    if customers < FEWEST:
        return f"{FEW} against {than}"
    # Both are of one column, so of one type, which the checker cannot know.
    return f"{wording.change(float((now - before) / before * 100))} on {than}"  # type: ignore[operator]


def _whole_pounds(value: Decimal | float) -> str:
    return wording.pounds(round(value)).removesuffix(".00")


_WORDS: Final[dict[str, Any]] = {
    "count": wording.count,
    "pounds": wording.pounds,
    "whole_pounds": _whole_pounds,
    "percent": wording.percent,
    "change_count": wording.signed_count,
    "change_pounds": lambda value: f"+{_whole_pounds(value)}" if round(value) > 0 else _whole_pounds(value),
    "change_percent": wording.change,
    "whole_percent": lambda value: wording.percent(value, 0).removesuffix(" %"),
    "decimal": wording.decimal,
}
