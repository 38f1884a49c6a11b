"""Damaged dumps give lines, rejects or a clear error: never a crash, a hang, or a loss that nobody sees."""

import bz2
import csv
import gzip
import io
import lzma
import random
import time
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from backports import zstd

from lgs_assets_tests.sources.reading import COLUMNS, COPY, HEADER, Read, outcome

ROUNDS = 300
SECONDS_A_FILE = 5
NAMES = HEADER.strip().split(",")
LINES = 40


def token(line: int) -> str:
    """By which a line is known wherever it ends up."""
    return f"T{line:04}"


ROWS: list[tuple[Any, ...]] = [
    (
        *(token(line), f"8512{line}", 'HEART, "WHITE" \\ it\'s £' if line % 3 else "LANTERN", line - 5),
        *(datetime(2010, 12, 1 + line % 28, 8, 26), 2.5 + line, 17850 + line if line % 2 else None, "EIRE"),
    )
    for line in range(LINES)
]
INSERT = f"INSERT INTO public.retail ({COLUMNS}) VALUES "
TSQL = f"INSERT [dbo].[retail] ([{'], ['.join(NAMES)}]) VALUES "


def literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def row(values: tuple[Any, ...], prefix: str = "") -> str:
    return "(" + ", ".join(prefix * isinstance(value, str) + literal(value) for value in values) + ")"


def field(value: Any) -> str:
    return "\\N" if value is None else str(value).replace("\\", "\\\\")


def as_csv() -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([NAMES, *ROWS])
    return file.getvalue().encode()


def as_workbook() -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "d/m/yy hh:mm"}) as book:
        sheet = book.add_worksheet("a")
        for number, values in enumerate([NAMES, *ROWS]):
            sheet.write_row(number, 0, values)
    return file.getvalue()


def as_parquet(**options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(dict(zip(NAMES, map(list, zip(*ROWS, strict=True)), strict=True))), file, **options)
    return file.getvalue()


def as_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("retail.csv", as_csv())
    return file.getvalue()


COPIED = (COPY + "".join("\t".join(map(field, values)) + "\n" for values in ROWS) + "\\.\n").encode()
TEXTS: dict[str, bytes] = {
    "copy": b"SET client_encoding = 'UTF8';\n" + COPIED,
    "csv": as_csv(),
    "inserts": "".join(f"{INSERT}{row(values)};\n" for values in ROWS).encode(),
    "insert of many rows": f"{INSERT}\n\t{','.join(map(row, ROWS))};\n".encode(),
    "sql server": ("USE [x]\nGO\n" + "".join(f"{TSQL}{row(values, 'N')}\nGO\n" for values in ROWS)).encode(),
    "sql server without batches": (
        "USE [x]\nGO\n" + "".join(f"{TSQL}{row(values, 'N')}\n" for values in ROWS)
    ).encode(),
}
BINARIES: dict[str, bytes] = {
    "workbook": as_workbook(),
    "parquet": as_parquet(),
    "parquet, not packed": as_parquet(compression="none"),
    "gzip": gzip.compress(COPIED),
    "bzip2": bz2.compress(COPIED),
    "xz": lzma.compress(COPIED),
    "zstd": zstd.compress(COPIED),
    "zip": as_zip(),
    "utf-16": TEXTS["sql server"].decode().encode("utf-16"),
}
SPLINTERS = [
    *("'", '"', "\n", "\r", "\0", "\\", ",", "\t", "(", ")", ";", "--", "/*", "*/", "$$", "[", "]", "GO\n", "\\.\n"),
    *("N'", "E'", "''", '""', "\n\n", "NULL", "INSERT ", COPY),
]


def damaged(content: bytes, chosen: random.Random) -> tuple[bytes, int, int]:
    """The content with one place damaged, and from where to where that was."""
    at = chosen.randrange(len(content))
    end = min(len(content), at + chosen.choice([0, 0, 0, 1, 1, 2, 5, 40]))
    splinter = chosen.choice([b"", chosen.randbytes(1), chosen.choice(SPLINTERS).encode()])
    return content[:at] + splinter + content[end:], at, end


def in_time(content: bytes) -> Read | str:
    began = time.perf_counter()
    found = outcome(content)
    assert time.perf_counter() - began < SECONDS_A_FILE
    assert not isinstance(found, str) or len(found) < 2000
    return found


@pytest.mark.parametrize("name", TEXTS)
def test_damage_to_a_text_takes_no_other_line_with_it_unseen(name: str) -> None:
    """Every line beside the damage is good, or is in the text of a reject; otherwise the dump is refused."""
    content, chosen = TEXTS[name], random.Random(name)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(4 * ROUNDS):
        damage, start, end = damaged(content, chosen)
        found = in_time(damage)
        if isinstance(found, str):
            outcomes["refused"] += 1
            continue
        outcomes["read"] += 1
        seen = "\n".join(str(value) for line in found.good.values() for value in line)
        seen += "\n".join(reject.text for reject in found.rejects)
        for line in range(LINES):
            first = content.index(token(line).encode())
            last = content.find(token(line + 1).encode()) if line + 1 < LINES else len(content)
            touched = start <= last and end >= first - len(INSERT) - 50
            assert touched or token(line) in seen, (name, damage, line)
    assert all(outcomes.values()), outcomes


def test_damage_to_lines_leaves_their_number() -> None:
    """As many lines come out of a COPY block, good and rejected, as stand in it."""
    chosen = random.Random("lines")
    head, data = COPY.encode(), COPIED[len(COPY) :].removesuffix(b"\\.\n")
    for _ in range(4 * ROUNDS):
        damage, _, _ = damaged(data, chosen)
        damage = damage.removesuffix(b"\n") + b"\n"
        if b"\n\\.\n" not in b"\n" + damage:
            found = in_time(head + damage + b"\\.\n")
            assert isinstance(found, Read)
            assert found.lines == damage.count(b"\n")


@pytest.mark.parametrize("name", BINARIES)
def test_damage_to_a_binary_file_is_said(name: str) -> None:
    """Whichever byte it is: nothing but lines, rejects and errors of ours come out."""
    chosen = random.Random(name)
    for _ in range(ROUNDS):
        content = BINARIES[name]
        for _ in range(chosen.choice([1, 1, 3])):
            content, _, _ = damaged(content, chosen)
        in_time(content)


def test_damage_within_a_workbook_is_said() -> None:
    """Even if the archive was packed again, and no checksum shows it."""
    chosen = random.Random("workbook")
    with zipfile.ZipFile(io.BytesIO(BINARIES["workbook"])) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(ROUNDS):
        victim = chosen.choice(["xl/worksheets/sheet1.xml", *members])
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, damaged(content, chosen)[0] if name == victim else content)
        in_time(file.getvalue())


@pytest.mark.parametrize("name", TEXTS)
def test_a_dump_that_is_cut_off_is_refused_or_loses_its_end_alone(name: str) -> None:
    """Wherever it ends: it is read as it is, or the error says that it is cut off. PostgreSQL's own end is missed."""
    content = TEXTS[name]
    for end in range(len(content) * 3 // 4, len(content) - 2, 7):
        found = in_time(content[:end])
        if name == "copy":
            assert isinstance(found, str)
        if isinstance(found, Read):
            whole = content[:end].count(b"T00")
            assert whole - 1 <= found.lines <= whole + 1


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd.compress,
}  # fmt: skip


@pytest.mark.parametrize("name", PACKERS)
def test_a_packed_dump_that_is_cut_off_is_refused(name: str) -> None:
    """At every byte."""
    packed = PACKERS[name](TEXTS["csv"])
    for end in range(len(packed)):
        assert isinstance(in_time(packed[:end]), str)
