"""The sheets of an Excel workbook (.xlsx, .xlsm), however its XML is written."""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from string import ascii_letters
from xml.etree.ElementTree import Element

from lgs_assets.errors import DumpError
from lgs_assets.sources.excel import EPOCH_1904, CellStyles, limited, related, remembered
from lgs_assets.sources.office import (
    EPOCH,
    NEVER_COMPUTED,
    RANGE,
    ROW_LIMIT,
    Package,
    Row,
    Sheet,
    UnreadableError,
    column_of,
    error_shown,
    note_merged,
    text_field,
)

FORMAT = "Excel workbook"

# What Excel writes, and the strict variant of the standard.
_NAMESPACES = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_ALTERNATIVES = "http://schemas.openxmlformats.org/markup-compatibility/2006 AlternateContent"
_APPLICATION = "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties Application"
_NEVER_COMPUTES = "Apache POI"  # unless it is told to: a formula's 0 may be one, or none
_CHARACTER = re.compile(r"_x(00[01][0-9A-Fa-f]|005[Ff])_")
_OF_ALTERNATIVES = "alternatives of which no rule says which one counts"
ARRAY_COLUMNS_LIMIT = 100
VALUES_REMEMBERED = 1 << 10


def sheets(package: Package) -> Iterator[Sheet]:
    """The sheets in the order of their tabs. Raises DumpError if there are none."""
    start = related(package, "")
    part = next((target for kind, _, target in start if kind == "officeDocument"), "xl/workbook.xml")
    book = _Book(package, part)
    taken: set[str] = set()
    for _, tab in package.described(part, _named("sheet")):
        identity = next((value for name, value in tab.items() if name.endswith(" id")), "")
        target = book.targets.get(identity, identity)
        if target.lower() in taken:
            raise DumpError(f"{package.path}: more than one sheet is the part {target} of the workbook. Save it again.")
        taken.add(target.lower())
        name, is_hidden, merged = tab.get("name", ""), tab.get("state", "visible") != "visible", list[str]()
        rows = _rows(book, target, name, merged)
        yield Sheet(name, is_hidden, book.epoch, rows, merged)
    if not taken:
        raise DumpError(f"{package.path}: expected an Excel workbook; the archive holds none.")


class _Book:
    """What the sheets of a workbook share."""

    def __init__(self, package: Package, part: str) -> None:
        others = related(package, part)
        self.package = package
        self.targets = {identity: target for _, identity, target in others}
        self.epoch = EPOCH
        self.computed = True
        """Whether a program has computed the values of formulas."""
        for _, element in package.described(part, _named("workbookPr", "calcPr")):
            if _is_true(element.get("date1904", "0")):
                self.epoch = EPOCH_1904
            # This is how libraries that do not compute leave it to Excel: until then, their stored zeros mean nothing.
            waits = _is_true(element.get("fullCalcOnLoad", "0")) or not _is_true(element.get("calcCompleted", "1"))
            if waits or element.get("calcMode") == "manual":
                self.computed = False
        if _application(package).startswith(_NEVER_COMPUTES):
            self.computed = False
        parts = {kind: target for kind, _, target in others}
        texts = _shared_texts(package, parts["sharedStrings"]) if "sharedStrings" in parts else ()
        self.texts = list(remembered(package, texts))
        self.styles = _styles(package, parts["styles"]) if "styles" in parts else CellStyles()


def _application(package: Package) -> str:
    """The name of the program that wrote a workbook, if it can be read: nothing else depends on it."""
    part = next((target for kind, _, target in related(package, "") if kind == "extended-properties"), "")
    with suppress(DumpError):
        return next((element.text or "" for _, element in package.described(part, {_APPLICATION})), "")
    return ""


def _rows(book: _Book, part: str, name: str, merged: list[str]) -> Iterator[Row]:
    reader, last = _RowReader(book), 0
    for _, element in book.package.elements(part, _named("row", "mergeCell") | {_ALTERNATIVES}):
        try:
            if element.tag == _ALTERNATIVES:  # of a drawing, if not of rows
                if any(within.tag.endswith(" row") for within in element.iter()):
                    raise ValueError(_OF_ALTERNATIVES)
                continue
            if element.tag.endswith(" mergeCell"):
                if RANGE.fullmatch(area := element.get("ref", "")):
                    note_merged(merged, area)
                continue
            line = int(element.get("r") or _row_of_first_cell(element) or last + 1)
            if not last < line <= ROW_LIMIT:
                raise ValueError(f"expected a row from {last + 1} to {ROW_LIMIT}, found {line}")
            row = reader.row(element, line)
        except ValueError as error:
            raise DumpError(
                f"{book.package.path}, sheet {name}, after row {last}: {error}. Save the workbook again."
            ) from error
        last = line
        if row.cells:
            yield row


class _RowReader:
    """Reads the rows of one sheet from their elements."""

    def __init__(self, book: _Book) -> None:
        self._book = book
        self._meaning = lru_cache(VALUES_REMEMBERED)(self._read)  # most cells repeat one of the rows above
        self._arrays: dict[int, int] = {}  # the columns that array formulas fill, each with the last row

    def row(self, element: Element, line: int) -> Row:
        """One row. Raises ValueError if its cells have no proper places."""
        cells: dict[int, str] = {}
        faults: dict[int, str] = {}
        value_tag = element.tag.removesuffix("row") + "v"
        digits, at = str(line), -1
        for cell in element:
            at = column_of(reference.removesuffix(digits)) if (reference := cell.get("r")) else at + 1
            if at in cells:
                raise ValueError(f"two cells in row {line}, column {at + 1}")
            try:
                if len(cell) == 1 and (value := cell[0]).tag == value_tag:
                    field = self._meaning(cell.get("t"), cell.get("s"), value.text)
                else:
                    field = self._other(cell)
            except UnreadableError as error:
                field, faults[at] = error.shown, error.reason
            if field:
                cells[at] = field
        for column, last in self._arrays.items():
            if line <= last and _is_zero(cells.get(column, "")):
                cells[column], faults[column] = "=…", NEVER_COMPUTED
        return Row(line, cells, faults)

    def _read(self, kind: str | None, style: str | None, text: str | None) -> str:
        """What the stored value of a cell means."""
        if not text and kind != "e":
            return ""
        text = text or ""
        try:
            match kind:
                case None | "n":
                    return self._book.styles.shown(text, _index(style or "0"), self._book.epoch)
                case "s":
                    return self._book.texts[_index(text)]
                case "str" | "inlineStr":
                    return text_field(_characters(text))
                case "b":
                    return "TRUE" if _is_true(text) else "FALSE"
                case "d":
                    return text_field(text.replace("T", " "))
                case _:
                    raise error_shown(text)
        except (ValueError, IndexError) as error:
            raise UnreadableError(text, "a damaged cell") from error

    def _other(self, cell: Element) -> str:
        """What a cell means that has no value, or more than a value."""
        if cell.tag == _ALTERNATIVES:
            raise ValueError(_OF_ALTERNATIVES)
        parts = {child.tag.rpartition(" ")[2]: child for child in cell}
        if "is" in parts:
            return text_field(_text(parts["is"]))
        text = (parts["v"].text or "") if "v" in parts else ""
        if (formula := parts.get("f")) is not None:
            # For a formula that results in an empty text, Excel writes an empty value and marks it as text.
            stored = "v" in parts and (text or cell.get("t") == "str")
            if not stored or (_is_zero(text) and not self._book.computed):
                self._note_array(formula)
                raise UnreadableError(f"={formula.text or '…'}", NEVER_COMPUTED)
        return self._meaning(cell.get("t"), cell.get("s"), text)

    def _note_array(self, formula: Element) -> None:
        """Remembers which other cells wait for the value of a formula, as they have no formula of their own.

        Raises ValueError if they are in too many columns.
        """
        if formula.get("t") == "array" and (match := RANGE.fullmatch(formula.get("ref", ""))):
            for column in range(column_of(match[1]), column_of(match[3]) + 1):
                self._arrays[column] = max(self._arrays.get(column, 0), int(match[4]))
            if len(self._arrays) > ARRAY_COLUMNS_LIMIT:  # each is looked at in every row
                raise ValueError(f"array formulas without a value in more than {ARRAY_COLUMNS_LIMIT} columns")


def _shared_texts(package: Package, part: str) -> Iterator[str]:
    """The texts that cells refer to by their index."""
    for _, element in package.elements(part, _named("si")):
        try:
            yield text_field(_text(element))
        except UnreadableError as error:
            raise DumpError(f"{package.path}, {part}: {error.reason}.") from error


def _styles(package: Package, part: str) -> CellStyles:
    """Raises DumpError if a number format has no valid number."""
    styles = CellStyles()
    try:
        for around, element in limited(package, part, package.described(part, _named("numFmt", "xf"))):
            number_format = int(element.get("numFmtId", "0"))
            if element.tag.endswith(" numFmt"):
                styles.declare(number_format, element.get("formatCode", ""), where=f"{package.path}, {part}")
            elif around[-1].tag.endswith(" cellXfs"):
                styles.append(number_format)
    except ValueError as error:
        raise DumpError(
            f"{package.path}, {part}: a number format without a number. Save the workbook again."
        ) from error
    return styles


def _text(element: Element) -> str:
    """The text of an element in all its runs, without phonetic guides."""
    runs = [run for run in element if run.tag.endswith((" t", " r"))]
    pieces = [piece for run in runs for piece in ([run] if run.tag.endswith(" t") else run) if piece.tag.endswith(" t")]
    return _characters("".join(piece.text or "" for piece in pieces))


def _characters(text: str) -> str:
    """The text with the characters that XML cannot hold: Excel writes a carriage return as _x000D_."""
    return _CHARACTER.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _row_of_first_cell(element: Element) -> str:
    return element[0].get("r", "").lstrip(ascii_letters) if len(element) else ""


def _index(text: str) -> int:
    if (index := int(text)) < 0:
        raise IndexError(text)
    return index


def _is_zero(text: str) -> bool:
    """Whether a stored value is nothing, or 0 in any spelling."""
    try:
        return not text or float(text) == 0
    except ValueError:
        return False


def _is_true(text: str) -> bool:
    return text in ("1", "true")


def _named(*names: str) -> frozenset[str]:
    return frozenset(f"{namespace} {name}" for namespace in _NAMESPACES for name in names)
