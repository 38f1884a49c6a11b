"""The sheets of an OpenDocument spreadsheet (.ods), which LibreOffice and Google Sheets write."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from xml.etree.ElementTree import Element

from lgs_assets.errors import DumpError
from lgs_assets.sources.missing import is_not_available, shows_error
from lgs_assets.sources.office import (
    COLUMN_LIMIT,
    EPOCH,
    NAMES_LIMIT,
    NEVER_COMPUTED,
    ROW_LIMIT,
    TEXT_LIMIT,
    Package,
    Row,
    Sheet,
    UnreadableError,
    error_shown,
    letters_of,
    measured,
    note_merged,
    number,
    text_field,
)

FORMAT = "OpenDocument spreadsheet"
CONTENT = "content.xml"

_OFFICE, _TABLE, _TEXT, _STYLE = (
    f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0 " for name in ("office", "table", "text", "style")
)
_LIBREOFFICE = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
_NUMBER = re.compile(r"\d(?:[\d.,' \u00a0\u202f\u2019]*\d)?(?:E[+-]?\d+)?", re.I)
# The same value in more adjacent columns is not a row of a table, and a text in more pieces is not that of a cell.
REPEATED_LIMIT = 100
PIECES_LIMIT = 1000
DEPTH_LIMIT = 10


def sheets(package: Package) -> Iterator[Sheet]:
    """The sheets in the order of their tabs. Read them in this order."""
    hidden_styles: set[str | None] = set()
    epoch = EPOCH
    found = package.elements(CONTENT, {_TABLE + "table-row", _TABLE + "null-date", _STYLE + "style"})
    for table, elements in groupby(found, key=_table_around):
        if table is not None:
            name, style, merged = table.get(_TABLE + "name", ""), table.get(_TABLE + "style-name"), list[str]()
            rows = _rows(package, (element for _, element in elements), name, merged)
            yield Sheet(name, style in hidden_styles, epoch, rows, merged)
            continue
        for _, element in elements:  # what comes before the tables
            if element.tag == _TABLE + "null-date":
                epoch = datetime.fromisoformat(element.get(_TABLE + "date-value", EPOCH.isoformat()))
            elif any(properties.get(_TABLE + "display") == "false" for properties in element):
                hidden_styles.add(element.get(_STYLE + "name"))
                if len(hidden_styles) > NAMES_LIMIT:
                    raise DumpError(f"{package.path}, {CONTENT}: more than {NAMES_LIMIT:,} styles of hidden sheets.")


def _table_around(found: tuple[tuple[Element, ...], Element]) -> Element | None:
    return next((element for element in found[0] if element.tag == _TABLE + "table"), None)


def _rows(package: Package, elements: Iterator[Element], name: str, merged: list[str]) -> Iterator[Row]:
    last = 0
    for element in elements:
        try:
            row = _row(element, last + 1, merged)
            repeated = _count(element, _TABLE + "number-rows-repeated")
            if row.cells and last + repeated > ROW_LIMIT:
                raise ValueError(f"expected at most {ROW_LIMIT:,} rows")
        except ValueError as error:
            raise DumpError(
                f"{package.path}, sheet {name}, row {last + 1}: {error}. Save the workbook again."
            ) from error
        if row.cells:
            yield from (row._replace(number=line) for line in range(last + 1, last + repeated + 1))
        last += repeated


def _row(element: Element, line: int, merged: list[str]) -> Row:
    cells: dict[int, str] = {}
    faults: dict[int, str] = {}
    at = 0
    for cell in element:
        repeated, fault = _count(cell, _TABLE + "number-columns-repeated"), None
        try:
            value = _value(cell)
        except UnreadableError as error:
            value, fault = error.shown, error.reason
        columns = range(at, at + repeated)
        if value and (repeated > REPEATED_LIMIT or columns.stop > COLUMN_LIMIT):
            raise ValueError(f"a value in {repeated:,} columns from column {at + 1:,} on")
        cells |= dict.fromkeys(columns, value) if value else {}
        faults |= dict.fromkeys(columns, fault) if fault else {}
        down, across = (_count(cell, f"{_TABLE}number-{what}-spanned") for what in ("rows", "columns"))
        if down > 1 or across > 1:
            note_merged(merged, f"{letters_of(at)}{line}:{letters_of(at + across - 1)}{line + down - 1}")
        at = columns.stop
    return Row(line, cells, faults)


def _value(cell: Element) -> str:
    """What a cell means. Raises UnreadableError if it shows an error, or its formula has no value."""
    kind, formula, is_error = (
        cell.get(name) for name in (_OFFICE + "value-type", _TABLE + "formula", _LIBREOFFICE + "value-type")
    )
    shown = _text(cell)
    if is_error == "error" or (formula is not None and (shows_error(shown) or is_not_available(shown))):
        raise error_shown(shown)
    if formula is not None and (kind is None or (kind == "string" and not _has_text(cell))):
        raise UnreadableError(f"={formula}", NEVER_COMPUTED)
    match kind:
        case "float" | "percentage" | "currency":
            value = number(cell.get(_OFFICE + "value", ""))
            return measured(value, cell.get(_OFFICE + "currency") or (_unit(shown) if kind == "float" else ""))
        case "date" | "time":
            return text_field(cell.get(f"{_OFFICE}{kind}-value", "").replace("T", " "))
        case "boolean":
            return text_field(cell.get(_OFFICE + "boolean-value", "").upper())
    return text_field(cell.get(_OFFICE + "string-value") or shown)


def _has_text(cell: Element) -> bool:
    """Whether a cell says what its text is, be it an empty one."""
    return cell.get(_OFFICE + "string-value") is not None or any(child.tag == _TEXT + "p" for child in cell)


def _unit(shown: str) -> str:
    """What a cell shows beside the digits of a number; nothing if it shows no digits, as for a zero."""
    return _NUMBER.sub("", shown) if any(map(str.isdigit, shown)) else ""


def _text(cell: Element) -> str:
    """The paragraphs of a cell, without comments on it."""
    paragraphs = [child for child in cell if child.tag == _TEXT + "p"]
    return "\n".join("".join(_pieces(paragraph, 0)) for paragraph in paragraphs[:PIECES_LIMIT])


def _pieces(element: Element, depth: int) -> list[str]:
    """The text of an element. Raises ValueError if it is nested too deeply, or in too many pieces."""
    if depth > DEPTH_LIMIT or len(element) > PIECES_LIMIT:
        raise ValueError("a text in too many pieces")
    pieces = [element.text or ""]
    for child in element:
        match child.tag.removeprefix(_TEXT):
            case "s":
                pieces.append(" " * min(_count(child, _TEXT + "c"), TEXT_LIMIT))
            case "tab":
                pieces.append("\t")
            case "line-break":
                pieces.append("\n")
            case "span" | "a":
                pieces += _pieces(child, depth + 1)
        pieces.append(child.tail or "")
    return pieces


def _count(element: Element, name: str) -> int:
    """The count that an element states, or 1. Raises ValueError if it is below 1."""
    count = int(element.get(name, "1"))
    if count < 1:
        raise ValueError(f"expected a count of at least 1, found {count}")
    return count
