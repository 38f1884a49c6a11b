"""Binary Excel workbooks say what the same workbook says as XML; damage is an error that names the part."""

import io
import random
import struct
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest

from lgs_assets.errors import DumpError
from lgs_assets_tests.sources.reading import HEADER, LANTERN, read, refusal, typed

NAMES = HEADER.strip().split(",")
ROW = [536365, "85123A", "LANTERN", 6, datetime(2010, 12, 1, 8, 26), 2.55, 17850, "United Kingdom"]
SHEET = "xl/worksheets/sheet1.bin"
DATE_STYLE, PRICE_STYLE = 1, 2
RELATIONS = """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>"""
RELATION = '<Relationship Id="{}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" '
RELATION += 'Target="{}"/>'


class Packed(int):
    """A number that is stored in 32 bits, in hundredths."""


class Shown(str):
    """An error or a text that is stored in its cell, not with the shared ones."""


def record(kind: int, fields: bytes = b"") -> bytes:
    def sevens(number: int) -> bytes:
        low, rest = number & 0x7F, number >> 7
        return bytes([low | 0x80]) + sevens(rest) if rest else bytes([low])

    return sevens(kind) + sevens(len(fields)) + fields


def text(characters: str) -> bytes:
    encoded = characters.encode("utf-16-le")
    return struct.pack("<I", len(encoded) // 2) + encoded


def cell(column: int, value: Any, shared: list[str]) -> bytes:
    """As Excel stores a value of its type."""
    style = DATE_STYLE if isinstance(value, datetime) else PRICE_STYLE if isinstance(value, float) else 0
    place = struct.pack("<II", column, style)
    match value:
        case None:
            return record(1, place)
        case bool():
            return record(4, place + bytes([value]))
        case Packed():
            return record(2, place + struct.pack("<I", (value << 2 | 3) & 0xFFFFFFFF))
        case datetime():
            return record(5, place + struct.pack("<d", (value - datetime(1899, 12, 30)).total_seconds() / 86_400))
        case int() | float():
            return record(5, place + struct.pack("<d", value))
        case Shown("#N/A"):
            return record(3, place + b"\x2a")
        case Shown():
            return record(6, place + text(value))
    if value not in shared:
        shared.append(value)
    return record(7, place + struct.pack("<I", shared.index(value)))


def sheet(rows: Iterable[Sequence[Any]], shared: list[str], merged: bytes = b"") -> bytes:
    body = b""
    for number, values in enumerate(rows):
        body += record(0, struct.pack("<I", number) + bytes(21))
        body += b"".join(cell(column, value, shared) for column, value in enumerate(values))
    return record(129) + record(145) + body + record(146) + merged + record(130)


def workbook(
    *sheets: tuple[str, bool, Iterable[Sequence[Any]]],
    price_format: str = "0.00",
    since_1904: bool = False,
    merged: bytes = b"",
) -> dict[str, bytes]:
    """The parts of a workbook, each sheet with its name, whether it is hidden, and its rows."""
    shared: list[str] = []
    bodies = [sheet(rows, shared, merged) for _, _, rows in sheets]
    tabs = [
        record(156, struct.pack("<II", is_hidden, number) + text(f"rId{number}") + text(name))
        for number, (name, is_hidden, _) in enumerate(sheets, 1)
    ]
    formats = record(44, struct.pack("<H", 164) + text(price_format))
    styles = [struct.pack("<HH", 0xFFFF, 22)] + [struct.pack("<HH", 0, number) for number in (0, 22, 164)]
    targets = [(f"rId{number}", "worksheet", f"worksheets/sheet{number}.bin") for number in range(1, len(sheets) + 1)]
    targets += [("texts", "sharedStrings", "sharedStrings.bin"), ("styles", "styles", "styles.bin")]
    return {
        "[Content_Types].xml": b"<Types/>",
        "xl/_rels/workbook.bin.rels": RELATIONS.format(
            "".join(RELATION.format(*target) for target in targets)
        ).encode(),
        "xl/workbook.bin": record(131) + record(153, struct.pack("<II", since_1904, 0)) + b"".join(tabs) + record(132),
        "xl/sharedStrings.bin": b"".join(record(19, b"\0" + text(shown)) for shown in shared),
        "xl/styles.bin": formats
        + record(47, styles[0])
        + record(617)
        + b"".join(record(47, s) for s in styles[1:])
        + record(618),
    } | {f"xl/worksheets/sheet{number}.bin": body for number, body in enumerate(bodies, 1)}


def zipped(parts: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return packed.getvalue()


def with_cell(column: str, value: Any) -> list[Any]:
    return [value if name == column else usual for name, usual in zip(NAMES, ROW, strict=True)]


def test_it_says_what_any_workbook_says() -> None:
    """Texts shared and not, numbers of both sizes, dates; hidden sheets are left out and named."""
    rows: list[list[Any]] = [
        NAMES,
        ROW,
        [],
        with_cell("Price", Packed(255)),
        with_cell("Description", Shown("LANTERN")),
    ]
    found = read(zipped(workbook(("2010", False, rows), ("old", True, rows), ("2011", False, [NAMES, ROW]))))
    assert [typed(line) for line in found.good.values()] == [typed(LANTERN)] * 4
    assert (list(found.good), found.rejects) == ([2, 4, 5, 7], [])
    assert found.facts["format"] == "Binary Excel workbook"
    assert (found.facts["sheets"], found.facts["sheets left out"]) == ("2010, 2011", "old (hidden)")


def short(whole: bytes) -> bytes:
    """A cell without its column, as it may be right of another."""
    return record(whole[0] + 11, whole[2 + 4 :])


def test_a_cell_may_leave_its_column_out_and_have_a_text_of_many_fonts() -> None:
    """Records that Excel itself hardly writes, but others do."""
    shared: list[str] = []
    names = sheet([NAMES], shared).split(record(146))[0]
    first, *others = (cell(column, value, shared) for column, value in enumerate(ROW))
    fonts = record(62, struct.pack("<II", 2, 0) + b"\1" + text("LANTERN") + bytes(8))
    cells = [first, short(others[0]), fonts, *map(short, others[2:])]
    parts = workbook(("a", False, []))
    body = names + record(0, struct.pack("<I", 1) + bytes(21)) + b"".join(cells) + record(146) + record(130)
    texts = b"".join(record(19, b"\0" + text(shown)) for shown in shared)
    found = read(zipped(parts | {SHEET: body, "xl/sharedStrings.bin": texts}))
    assert [typed(line) for line in found.good.values()] == [typed(LANTERN)]


def test_errors_reject_their_line_and_missing_values_are_none() -> None:
    """As in the other workbooks."""
    rows = [NAMES, with_cell("Customer ID", Shown("#N/A")), with_cell("Customer ID", None), with_cell("Quantity", True)]
    found = read(zipped(workbook(("a", False, [*rows, with_cell("Price", float("nan"))]))))
    assert [line[6] for line in found.good.values()] == [None]
    columns = [(reject.line, reject.column) for reject in found.rejects]
    assert columns == [(2, "customer_id"), (4, "quantity"), (5, "unit_price")]


def test_prices_state_their_currency_and_dates_their_epoch() -> None:
    """By the formats of cells, and by the property of the workbook."""
    assert read(zipped(workbook(("a", False, [NAMES, ROW]), price_format="0.00 [$€-407]"))).facts["numbers"] == (
        "decimal point, in €"
    )
    (line,) = read(zipped(workbook(("a", False, [NAMES, ROW]), since_1904=True))).good.values()
    assert line[4] == "2014-12-02 08:26:00"


def test_merged_lines_are_refused() -> None:
    """Only the first line has the value."""
    merged = record(176, struct.pack("<IIII", 1, 2, 6, 6))
    said = refusal(zipped(workbook(("a", False, [NAMES, ROW, ROW]), merged=merged)))
    assert said.startswith("a dump, sheet a: the cells G2:G3 are merged")


@pytest.mark.parametrize(
    ("part", "content", "said"),
    [
        (SHEET, record(0, struct.pack("<I", 1 << 20)), "row 1048577 after row 0"),
        (SHEET, record(0, struct.pack("<I", 3)) + record(0, struct.pack("<I", 3)), "row 4 after row 4"),
        (SHEET, record(0, bytes(4)) + cell(0, 1, []) * 2, "a cell out of place in row 1"),
        (SHEET, record(0, bytes(4)) + cell(1 << 14, 1, []), "a cell out of place in row 1"),
        (SHEET, record(0, bytes(4)) + record(7, struct.pack("<III", 0, 0, 99)), "a record that cannot be read"),
        (SHEET, b"\x06\xff\xff\xff\x7f", "a record of 268,435,455 bytes"),
        ("xl/sharedStrings.bin", record(19, b"\0" + struct.pack("<I", 1 << 30)), "a text of 1,073,741,824 characters"),
        ("xl/sharedStrings.bin", record(19, b"\0" + text("x" * 40_000)), "a text of 40,000 characters"),
        ("xl/styles.bin", record(47, bytes(4)) * 200_000, "more than 131,072 styles"),
        ("xl/workbook.bin", record(131), "the archive holds none"),
    ],
)
def test_damage_is_refused_in_words(part: str, content: bytes, said: str) -> None:
    """The part is named, and what was found there."""
    assert said in refusal(zipped(workbook(("a", False, [NAMES, ROW])) | {part: content}))


def test_no_damage_is_a_traceback() -> None:
    """Each part cut off anywhere, and with bytes replaced anywhere: it is read or refused."""
    parts, chosen = workbook(("a", False, [NAMES, ROW, ROW])), random.Random(5)
    for name in ("xl/workbook.bin", SHEET, "xl/sharedStrings.bin", "xl/styles.bin"):
        whole = parts[name]
        damaged = [whole[:end] for end in range(0, len(whole), 7)]
        for _ in range(60):
            at = chosen.randrange(len(whole))
            damaged.append(whole[:at] + bytes([chosen.randrange(256)]) + whole[at + 1 :])
        for content in damaged:
            with suppress(DumpError):
                read(zipped(parts | {name: content}))
