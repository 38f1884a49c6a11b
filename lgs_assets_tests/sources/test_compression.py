"""Files are unpacked as a stream; whatever is wrong with them is said as a DumpError."""

import gzip
import io
import os
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lgs_assets.errors import DumpError
from lgs_assets.sources import open_dump, sha256_of
from lgs_assets.sources.compression import unpacked

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


def read(path: Path) -> tuple[str, bytes]:
    with unpacked(path) as (name, stream):
        return name, stream.read()


@pytest.mark.parametrize(
    ("file", "packed", "name"),
    [
        ("a.sql", TEXT, "a.sql"),
        ("a.sql.gz", gzip.compress(TEXT), "a.sql"),
        ("A.SQL.GZ", gzip.compress(TEXT), "A.SQL"),
        ("a.sql.gz", gzip.compress(TEXT[:500]) + gzip.compress(TEXT[500:]), "a.sql"),
        ("a.zip", zipped(("a.csv", TEXT)), "a.csv"),
        ("a.zip", zipped(("a.csv", TEXT), method=zipfile.ZIP_STORED), "a.csv"),
        ("a.zip", zipped(("folder/", b""), ("folder/a.csv", TEXT)), "folder/a.csv"),
        ("a.zip", zipped(("a.csv", TEXT), ("__MACOSX/._a.csv", b"icon")), "a.csv"),
        ("gzip under another name.sql", gzip.compress(TEXT), "gzip under another name.sql"),
        ("unpacked by a browser.sql.gz", TEXT, "unpacked by a browser.sql"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_content_is_the_same_whatever_it_is_packed_in(tmp_path: Path, file: str, packed: bytes, name: str) -> None:
    """The bytes come out as they went in, under the name that tells their format."""
    path = tmp_path / file
    path.write_bytes(packed)
    assert read(path) == (name, TEXT)


@pytest.mark.parametrize(
    ("file", "packed", "said"),
    [
        ("a.sql", b"", "the file is empty"),
        ("a.sql.gz", gzip.compress(TEXT)[:-2000], "damaged or cut off"),
        ("a.sql.gz", gzip.compress(TEXT)[:12], "damaged or cut off"),
        ("a.sql.gz", with_flipped_byte(gzip.compress(TEXT), len(gzip.compress(TEXT)) // 2), "damaged or cut off"),
        ("a.sql.gz", with_flipped_byte(gzip.compress(TEXT), -8), "damaged or cut off: CRC check failed"),
        ("a.sql.gz", gzip.compress(b"")[:10] + b"\xff" * 99, "damaged or cut off: Error -3"),
        ("a.sql.gz", gzip.compress(TEXT) + b"garbage", "damaged or cut off: Not a gzipped file"),
        ("a.zip", zipped(("a.csv", TEXT))[:-30], "damaged or cut off: File is not a zip file"),
        ("a.zip", with_flipped_byte(zipped(("a.csv", TEXT)), 5000), "damaged or cut off"),
        ("a.zip", zipped(), "expected one file in the archive, found none"),
        ("a.zip", zipped(("folder/", b"")), "expected one file in the archive, found none"),
        ("a.zip", zipped(("a.csv", TEXT), ("b.csv", TEXT)), "expected one file in the archive, found 2: a.csv, b.csv"),
        ("a.zip", marked(zipped(("a.csv", TEXT)), offset=6, value=1), "is encrypted.* Pack it as"),
        ("a.zip", marked(zipped(("a.csv", TEXT)), offset=8, value=9), "compression method is not supported.* Pack it"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, file: str, packed: bytes, said: str) -> None:
    """The error names the file, what is wrong with it, and what to do; it comes at the latest when the stream ends."""
    path = tmp_path / file
    path.write_bytes(packed)
    with pytest.raises(DumpError, match=said) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("file", "said"), [(".", "Is a directory"), ("none.sql", "No such file"), ("a.sql/b.sql", "Not a")]
)
def test_what_is_no_file_is_refused(tmp_path: Path, file: str, said: str) -> None:
    """Each way to a file says so: reading it, opening it as a dump, and its checksum."""
    (tmp_path / "a.sql").touch()
    path = tmp_path / file
    with pytest.raises(DumpError, match=said):
        read(path)
    with pytest.raises(DumpError, match=said), open_dump(path):
        pass
    with pytest.raises(DumpError, match=said):
        sha256_of(path)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root, who may read everything, is nobody for the length of a test."""
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
    """Neither the file nor its checksum is read; the error says why."""
    with pytest.raises(DumpError, match=r"secret.sql: cannot be read: Permission denied"):
        read(unreadable)
    with pytest.raises(DumpError, match=r"secret.sql: cannot be read: Permission denied"), open_dump(unreadable):
        pass
    with pytest.raises(DumpError, match=r"secret.sql: cannot be read: Permission denied"):
        sha256_of(unreadable)


@pytest.mark.parametrize("error", [OSError("the disk is full"), EOFError("of the reader's own")])
def test_the_errors_of_whoever_reads_are_left_alone(tmp_path: Path, error: Exception) -> None:
    """Only the file's own failures become DumpErrors: a full disk elsewhere is not the dump's fault."""
    path = tmp_path / "a.sql"
    path.write_bytes(TEXT)
    with pytest.raises(type(error)) as caught, unpacked(path):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("pack", [gzip.compress, lambda text: zipped(("a.sql", text))])
def test_memory_does_not_grow_with_the_content(tmp_path: Path, pack: object) -> None:
    """A small file that unpacks to 64 MB is never held as a whole."""
    path = tmp_path / "a.sql"
    path.write_bytes(pack(bytes(1 << 26)))  # type: ignore[operator]
    tracemalloc.start()
    try:
        with unpacked(path) as (_, stream):
            length = sum(len(chunk) for chunk in iter(lambda: stream.read(1 << 18), b""))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert length == 1 << 26
    assert peak < 1 << 22
