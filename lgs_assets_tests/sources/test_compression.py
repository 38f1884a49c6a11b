"""Files are unpacked as a stream; whatever is wrong with them is said as a DumpError."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from backports import zstd

from lgs_assets.errors import DumpError
from lgs_assets.sources import compression, open_dump
from lgs_assets.sources.compression import sha256_of, unpacked
from lgs_assets_tests.sources.reading import COPY, CSV_GOOD, GOOD, HEADER, INSERT, LANTERN, ROW, in_memory, read, typed
from lgs_assets_tests.sources.test_parquet_dump import parquet
from lgs_assets_tests.sources.test_workbook import NAMES, workbook
from lgs_assets_tests.sources.test_workbook import ROW as ROW_OF_CELLS

NOBODY = 65534
TEXT = b"".join(b"line %d of the file\n" % number for number in range(20_000))


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def with_flipped_byte(packed: bytes, at: int) -> bytes:
    return packed[:at] + bytes([packed[at] ^ 0xFF]) + packed[at + 1 :]


def marked(packed: bytes, *, offset: int, value: int) -> bytes:
    """A zip archive of one file with a byte set in both places that describe the file."""
    archive = bytearray(packed)
    archive[offset] = archive[archive.index(b"PK\x01\x02") + 2 + offset] = value
    return bytes(archive)


def contents(path: Path) -> tuple[str | None, bytes]:
    """The compression of a file, and its content."""
    with unpacked(path) as (content, stream):
        data = stream.read()
        assert (content.sha256, content.size) == (sha256(data).hexdigest(), len(data))
        return content.packing, data


@pytest.mark.parametrize(
    ("packed", "packing"),
    [
        (TEXT, None),
        (gzip.compress(TEXT, mtime=0), "gzip"),
        (gzip.compress(TEXT[:500], mtime=0) + gzip.compress(TEXT[500:], mtime=0), "gzip"),
        (bz2.compress(TEXT), "bzip2"),
        (bz2.compress(TEXT[:500]) + bz2.compress(TEXT[500:]), "bzip2"),
        (lzma.compress(TEXT), "xz"),
        (lzma.compress(TEXT[:500]) + lzma.compress(TEXT[500:]), "xz"),
        (zstd.compress(TEXT), "zstd"),
        (zstd.compress(TEXT[:500]) + zstd.compress(TEXT[500:]), "zstd"),
        (zipped(("a.csv", TEXT)), "zip"),
        (zipped(("a.csv", TEXT), method=zipfile.ZIP_STORED), "zip"),
        (zipped(("a.csv", TEXT), method=zipfile.ZIP_BZIP2), "zip"),
        (zipped(("a.csv", TEXT), method=zipfile.ZIP_LZMA), "zip"),
        (zipped(("folder/", b""), ("folder/a.csv", TEXT)), "zip"),
        (zipped(("a.csv", TEXT), ("__MACOSX/._a.csv", b"icon")), "zip"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # bytes would differ from run to run
)
@pytest.mark.parametrize("name", ["a.sql", "a", "a.csv.gz"])
def test_the_content_is_the_same_whatever_it_is_packed_in(
    tmp_path: Path, packed: bytes, packing: str | None, name: str
) -> None:
    """The bytes come out as they went in, whatever the name of the file says."""
    path = tmp_path / name
    path.write_bytes(packed)
    assert contents(path) == (packing, TEXT)


@pytest.mark.parametrize("packing", ["gzip", "bzip2", "xz", "zstd", "zip"])
def test_a_packed_dump_is_the_dump(packing: str) -> None:
    """Its lines, and the hash of its content, which shows whether it was loaded before."""
    packers: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd.compress,
        "zip": lambda data: zipped(("a.csv", data)),
    }  # fmt: skip
    content = (HEADER + CSV_GOOD * 10_000).encode()
    found = read(packers[packing](content))
    assert (found.lines, found.facts["packing"]) == (10_000, packing)
    with open_dump(in_memory(packers[packing](content))) as dump:
        assert sum(1 for _ in dump.pieces)
        assert dump.content.sha256 == sha256(content).hexdigest()


def test_the_files_of_an_archive_are_one_dump() -> None:
    """Numbered through, and stated; the hash of the dump is that of both."""
    first, second = (HEADER + CSV_GOOD * 3).encode(), (HEADER + CSV_GOOD + '"x\n' + CSV_GOOD).encode("utf-16")
    packed = zipped(("2009.csv", first), ("folder/2010.csv", second), ("folder/.DS_Store", b"\0"))
    found = read(packed)
    assert (list(found.good), [reject.line for reject in found.rejects]) == ([2, 3, 4, 6, 8], [7])
    assert found.facts["files"] == "2009.csv, folder/2010.csv"
    with open_dump(in_memory(packed)) as dump:
        assert sum(1 for _ in dump.pieces)
        assert dump.content.sha256 == sha256(first + second).hexdigest() == sha256_of(in_memory(packed))


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ((HEADER + CSV_GOOD + CSV_GOOD.replace(",6,", ",six,")).encode(), "line 3"),
        ((HEADER + CSV_GOOD + '"x\n').encode(), "line 3"),
        ((COPY + GOOD + GOOD.replace("2.55", "two") + "\\.\n").encode(), "line 3"),
        (f"{INSERT}{ROW},\n{ROW.replace('17850', 'a || b')};\n".encode(), "line 2"),
        (workbook({"a": [NAMES, ROW_OF_CELLS], "b": [[], NAMES, ["", *ROW_OF_CELLS[1:]]]}), "line 5: sheet b, row 3"),
        (
            workbook({"a": [NAMES, ROW_OF_CELLS], "b": [NAMES, [*ROW_OF_CELLS[:6], "=NA()", "UK"]]}),
            "line 4: sheet b, row 2",
        ),
        (workbook({"a": [NAMES, ROW_OF_CELLS, ["#REF!", *ROW_OF_CELLS[1:]]]}), "line 3"),
    ],
)
def test_a_reject_names_its_file_and_its_line_there(file: bytes, line: str) -> None:
    """The number in the dump is its own all the same: the ledger has each once."""
    found = read(zipped(("2009", file), ("in/2010", file)))
    first, second = found.rejects
    assert first.reason.startswith(f"2009, {line}: ")
    assert second.reason == first.reason.replace("2009", "in/2010", 1)
    assert len({first.line, second.line, *found.good}) == len(found.good) + 2
    assert first.reason.endswith(read(file).rejects[0].reason)


def test_the_files_of_an_archive_have_one_currency() -> None:
    """Whether their headers state it or their prices show it."""
    pounds, euros = (HEADER + CSV_GOOD).encode(), (HEADER.replace("Price", "Price (EUR)") + CSV_GOOD).encode()
    shown = (HEADER + CSV_GOOD.replace("2.55", "€2.55")).encode()
    for files in ([euros, euros], [euros, shown], [shown, euros]):
        found = read(zipped(*zip("ab", files, strict=True)))
        assert (len(found.good), found.facts["numbers"]) == (2, "decimal point, in €")
    with pytest.raises(DumpError, match=r"one form in an archive, .* decimal point in a, .* decimal point, in € in b"):
        read(zipped(("a", pounds), ("b", euros)))


def dated(*dates: str) -> bytes:
    return (HEADER + "".join(CSV_GOOD.replace("2010-12-01", date) for date in dates)).encode()


def test_each_file_of_an_archive_shows_its_own_form() -> None:
    """The many lines of one do not outvote the few of another; where no order shows, the other files decide."""
    british, american = dated(*["13/04/2011"] * 300), dated(*["04/13/2011"] * 2, *["05/06/2011"] * 98)
    for files in ([british, american], [american, british]):
        with pytest.raises(DumpError, match=r"files of one form in an archive, found dates .* in a, dates .* in b"):
            read(zipped(*zip("ab", files, strict=True)))
    for files in ([british, dated("05/06/2011")], [dated("05/06/2011"), british]):
        found = read(zipped(*zip("ab", files, strict=True)))
        assert len(found.good) == 301
        assert sum("2011-06-05" in str(line) for line in found.good.values()) == 1


def test_each_file_of_an_archive_shows_its_own_numbers() -> None:
    """A number that may mean two things is not read as in a file that another program wrote."""
    point, either = HEADER + CSV_GOOD, HEADER + CSV_GOOD.replace("2.55", "1.234")
    with pytest.raises(DumpError, match=r"numbers like 1\.234 can be read"):
        read(zipped(("a", point.encode()), ("b", either.replace(",", ";").encode())))
    comma = (HEADER + CSV_GOOD).replace(",", ";").replace("2.55", "2,55")
    with pytest.raises(DumpError, match=r"decimal point in a, .* decimal comma in b"):
        read(zipped(("a", point.encode()), ("b", comma.encode())))
    whole = read(zipped(("a", comma.encode()), ("b", comma.replace("2,55", "2").encode())))
    assert len(whole.good) == 2


SQL_OF_MANY = f"{COPY}{GOOD}{GOOD}\\.\nCOPY other (a) FROM stdin;\n\\.\n{INSERT}{ROW}, {ROW};\n"


@pytest.mark.parametrize(
    ("file", "numbers", "fact"),
    [
        (
            workbook({"a": [NAMES, ROW_OF_CELLS], "b": [[], NAMES, ROW_OF_CELLS], "notes": []}),
            [2, 5],
            "sheets left out",
        ),
        (SQL_OF_MANY.encode(), [2, 3, 7, 8], "tables left out"),
        (parquet(), [1, 2, 3], ""),
    ],
    ids=["workbooks", "scripts", "Parquet"],
)
def test_files_of_any_one_format_may_be_packed_together(file: bytes, numbers: list[int], fact: str) -> None:
    """Their lines are numbered through, and what is left out of any is told."""
    found = read(zipped(("2009", file), ("2010", file)))
    assert [typed(line) for line in found.good.values()] == [typed(LANTERN)] * 2 * len(numbers)
    assert list(found.good) == [*numbers, *(numbers[-1] + number for number in numbers)]
    assert found.facts["files"] == "2009, 2010"
    if fact:
        left_out = read(file).facts[fact]
        assert found.facts[fact] == f"{left_out}, {left_out}"


def test_the_files_of_an_archive_have_one_form() -> None:
    """Dates of one file show the order in the others."""
    files = [HEADER + CSV_GOOD.replace("2010-12-01", day) for day in ("03/04/2011", "13/04/2011")]
    found = read(zipped(*((f"{name}.csv", text.encode()) for name, text in zip("ab", files, strict=True))))
    assert [typed(line)[4].month for line in found.good.values()] == [4, 4]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (CSV_GOOD.encode() * 2, "a dump, read me.txt, line 1: no column invoice_no"),
        (b"COPY retail FROM stdin;", "a dump, read me.txt, line 1: the columns are named neither here nor"),
        (b"PAR1", "a dump, read me.txt: not a readable Parquet file"),
        (b"\x89PNG\n\0\0", "a dump, read me.txt, line 1: no column invoice_no"),
        (
            (COPY + GOOD + "\\.\n").encode(),
            "a dump, read me.txt: expected files of one format in an archive, found CSV and SQL dump of COPY",
        ),
        (HEADER.replace("Price", "Cost").encode(), "a dump, read me.txt, line 1: no column unit_price"),
    ],
)
def test_an_archive_of_anything_else_is_refused(other: bytes, said: str) -> None:
    """The error names the file in it."""
    with pytest.raises(DumpError, match=said):
        read(zipped(("a.csv", (HEADER + CSV_GOOD).encode()), ("read me.txt", other)))


@pytest.mark.parametrize(
    "note", [b"", b"Exported by the shop, in pounds.\n\nAsk Ann, Bob, Cy or Di.\n", b"5a0e  b.csv\n"]
)
def test_a_file_of_an_archive_without_a_table_is_left_out(note: bytes) -> None:
    """A README holds no data: it is reported as left out, and the hash of the dump covers it like any other file."""
    content = (HEADER + CSV_GOOD).encode()
    for files in ([("README", note), ("b.csv", content)], [("b.csv", content), ("README", note)]):
        found = read(packed := zipped(*files))
        assert [typed(line) for line in found.good.values()] == [typed(LANTERN)]
        assert (found.facts["files"], found.facts["files left out"]) == ("b.csv", "README")
        with open_dump(in_memory(packed)) as dump:
            assert sum(1 for _ in dump.pieces) and dump.content.sha256 == sha256_of(in_memory(packed))
    with pytest.raises(DumpError, match=r"no file in the archive names the columns\. The last: a dump, c, line 1: no"):
        read(zipped(("README", note), ("c", note)))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a.csv", "a.csv"], "2 files in the archive have the name a.csv"),
        (["b.csv", "in/", "in/a.csv", "in/a.csv", "in/a.csv"], "3 files in the archive have the name in/a.csv"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_files_of_one_name_are_refused(names: list[str], said: str) -> None:
    """The second may continue the first or replace it: neither is read twice, and none is lost."""
    files = [(name, (HEADER + CSV_GOOD * count).encode()) for count, name in enumerate(names, 1)]
    with pytest.raises(DumpError, match=said):
        read(zipped(*files))
    assert len(read(zipped((".DS_Store", b""), *files[:1], (".DS_Store", b""))).good) == 1


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_tar_archive_is_called_what_it_is(pack: Callable[[bytes], bytes]) -> None:
    """The error says how to pack the file instead."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("retail.csv")
        entry.size = len(content := (HEADER + CSV_GOOD).encode())
        tar.addfile(entry, io.BytesIO(content))
    with pytest.raises(DumpError, match=r"a dump: a tar archive\. Pack its files as zip"):
        read(pack(archive.getvalue()))


def test_a_window_of_zstd_that_is_too_large_is_no_damage() -> None:
    """The error says how to pack the file."""
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: 28,
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    compressor = zstd.ZstdCompressor(options=options)  # in two steps: of a whole one it takes a window that fits
    packed = compressor.compress(TEXT) + compressor.flush()
    with pytest.raises(DumpError, match=r"window takes more than 128 MiB of memory.* Pack it without --long"):
        read(packed)


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"", "the file is empty"),
        (gzip.compress(TEXT, mtime=0)[:-2000], "damaged or cut off"),
        (gzip.compress(TEXT, mtime=0)[:12], "damaged or cut off"),
        (with_flipped_byte(gzip.compress(TEXT, mtime=0), len(gzip.compress(TEXT, mtime=0)) // 2), "damaged or cut off"),
        (with_flipped_byte(gzip.compress(TEXT, mtime=0), -8), "damaged or cut off: CRC check failed"),
        (gzip.compress(b"", mtime=0)[:10] + b"\xff" * 99, "damaged or cut off: Error -3"),
        (gzip.compress(TEXT, mtime=0) + b"garbage", "damaged or cut off: Not a gzipped file"),
        (bz2.compress(TEXT)[:-200], "damaged or cut off"),
        (with_flipped_byte(bz2.compress(TEXT), 2000), "damaged or cut off"),
        (lzma.compress(TEXT)[:-200], "damaged or cut off"),
        (with_flipped_byte(lzma.compress(TEXT), 1000), "damaged or cut off"),
        (zstd.compress(TEXT)[:-200], "damaged or cut off"),
        (zstd.compress(TEXT)[:8] + b"\xff" * 99, "takes more than 128 MiB of memory, unless it is damaged"),
        (zipped(("a.csv", TEXT))[:-30], "damaged or cut off: File is not a zip file"),
        (with_flipped_byte(zipped(("a.csv", TEXT)), 5000), "damaged or cut off"),
        (zipped(), "expected up to 100 files in the archive, found none"),
        (zipped(("folder/", b"")), "expected up to 100 files in the archive, found none"),
        (marked(zipped(("a.csv", TEXT)), offset=6, value=1), "is encrypted.* Pack it as"),
        (marked(zipped(("a.csv", TEXT)), offset=8, value=9), "compression method is not supported.* Pack it"),
        (marked(zipped(("a.csv", TEXT)), offset=4, value=99), "cannot be unpacked: zip file version 9.9"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # bytes would differ from run to run
)
def test_a_bad_file_is_refused(tmp_path: Path, packed: bytes, said: str) -> None:
    """The error names the file, what is wrong with it, and what to do; it comes at the latest when the stream ends."""
    path = tmp_path / "a.dump"
    path.write_bytes(packed)
    with pytest.raises(DumpError, match=said) as caught:
        contents(path)
    assert str(path) in str(caught.value)


BOMBS: list[Callable[[bytes], bytes]] = [
    gzip.compress, bz2.compress, lzma.compress, zstd.compress, lambda data: zipped(("a.csv", data)),
]  # fmt: skip


@pytest.mark.parametrize("pack", BOMBS)
def test_a_file_that_expands_beyond_measure_is_refused(
    tmp_path: Path, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before it fills a disk: by how many times it expands, and by how far."""
    path = tmp_path / "a.dump"
    path.write_bytes(pack(bytes(1 << 24)))
    monkeypatch.setattr(compression, "RATIO_COUNTS_FROM_BYTES", 1 << 20)
    with pytest.raises(
        DumpError, match=r"bytes expand to [1-3],\d{3},\d{3} or more; expected at most 200 times as many"
    ):
        contents(path)
    monkeypatch.setattr(compression, "RATIO_LIMIT", 1 << 40)
    assert contents(path)[1] == bytes(1 << 24)
    monkeypatch.setattr(compression, "EXPANDED_LIMIT_BYTES", 1 << 21)
    with pytest.raises(DumpError, match="and at most 2,097,152 in all"):
        contents(path)


@pytest.mark.parametrize(
    ("file", "said"), [(".", "Is a directory"), ("none.sql", "No such file"), ("a.sql/b.sql", "Not a")]
)
def test_what_is_no_file_is_refused(tmp_path: Path, file: str, said: str) -> None:
    """The error says what it is instead."""
    (tmp_path / "a.sql").touch()
    with pytest.raises(DumpError, match=f"cannot be read: {said}"), open_dump(tmp_path / file):
        pass


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """It may grow, be replaced or vanish: what was read is not what is there."""
    path = tmp_path / "retail.csv"
    changes: list[Callable[[], object]] = [
        lambda: path.write_text(HEADER + CSV_GOOD * 3), lambda: os.utime(path, (1, 1)), path.unlink,
    ]  # fmt: skip
    for change, said in zip(changes, ["changed while it was read", "changed while", "No such file"], strict=True):
        path.write_text(HEADER + CSV_GOOD * 2)
        with open_dump(path) as dump:
            next(dump.pieces)
            change()
            with pytest.raises(DumpError, match=said):
                list(dump.pieces)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root, who may read everything, becomes `nobody` for the length of a test."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def unreadable(tmp_path: Path) -> Path:
    """A file in an ordinary folder that its owner lets nobody read."""
    path = tmp_path / "secret.sql"
    path.write_bytes(TEXT)
    path.chmod(0)
    return path


def test_a_file_without_permission_is_refused(unreadable: Path, unprivileged: None) -> None:
    """The error says why."""
    with pytest.raises(DumpError, match=r"secret.sql: cannot be read: Permission denied"), open_dump(unreadable):
        pass


@pytest.mark.parametrize("error", [OSError("the disk is full"), EOFError("of the reader's own")])
def test_the_errors_of_whoever_reads_are_left_alone(tmp_path: Path, error: Exception) -> None:
    """Only the file's own failures become DumpErrors: a full disk elsewhere is not the dump's fault."""
    path = tmp_path / "a.sql"
    path.write_bytes(TEXT)
    with pytest.raises(type(error)) as caught, unpacked(path):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, zstd.compress, lambda text: zipped(("a.sql", text))])
def test_memory_does_not_grow_with_the_content(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """A small file that unpacks to 64 MB is never in memory as a whole."""
    path = tmp_path / "a.sql"
    path.write_bytes(pack(bytes(1 << 26)))
    tracemalloc.start()
    try:
        with unpacked(path) as (_, stream):
            length = sum(len(chunk) for chunk in iter(lambda: stream.read(1 << 18), b""))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert length == 1 << 26
    assert peak < 1 << 24
