"""The bytes inside a file, whatever compresses it; the compression is recognised by the content."""

import bz2
import errno
import gzip
import hashlib
import io
import lzma
import os
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from backports import zstd

from lgs_assets.errors import DumpError, LgsError, UnavailableError

BUFFER_BYTES = 1 << 18
# Invoice lines shrink to a tenth or so. A file that expands a thousandfold was made to fill a disk.
EXPANDED_LIMIT_BYTES = 1 << 36
RATIO_LIMIT = 200
RATIO_COUNTS_FROM_BYTES = 1 << 26
FILES_LIMIT = 100

_GZIP_MAGIC = b"\x1f\x8b"
_BZIP2_MAGIC = b"BZh"
_XZ_MAGIC = b"\xfd7zXZ\0"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # the second begins an archive without files
_OFFICE_MEMBERS = {"[content_types].xml", "content.xml"}  # workbooks are zip archives, too: of Excel, of LibreOffice
_DEBRIS = re.compile(r"^__MACOSX/|(?:^|/)(?:\.[^/]*|Thumbs\.db|desktop\.ini)$")  # files that operating systems add
ZSTD_WINDOW_LIMIT = 1 << 27
"""The largest window that zstd itself unpacks unless it is allowed more memory."""
_WINDOW_TOO_LARGE = "requires too much memory"
_PASSING = {errno.EIO, errno.EAGAIN, errno.ESTALE, errno.EHOSTUNREACH, errno.ENETUNREACH}
# How the libraries report damage: zipfile with whatever error the damage leads to.
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, zstd.ZstdError, EOFError, ValueError, struct.error)
SHOWN_CHARACTERS = 200


class Content(io.RawIOBase):
    """A stream of a file's uncompressed content. Its hash and size are complete once it has been read to its end.

    An archive may hold several files: they come one after another, each with an end of its own.
    Reading it raises DumpError if the file cannot be read, is damaged or cut off, or expands too far.
    """

    def __init__(self, path: Path, file: BinaryIO, packed_bytes: int, source: Any, packing: str | None) -> None:
        self.packing = packing
        """The compression, None for an uncompressed file."""
        self.files: Sequence[str] = source.files if isinstance(source, _Members) else ()
        """The names of the files, if there are several."""
        self.size = 0
        """The bytes read so far."""
        self._path = path
        self._file = file
        self._packed_bytes = packed_bytes
        self._source = source
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes read so far, in hexadecimal."""
        return self._hash.hexdigest()

    def readable(self) -> bool:
        """Always: a raw stream has to say so."""
        return True

    def next_file(self) -> bool:
        """At the end of an archive's file, moves on to the next. Returns whether there is one."""
        with faults_as_dump_errors(self._path):
            return isinstance(self._source, _Members) and self._source.next()

    def readinto(self, buffer: Any) -> int:
        """Reads as many bytes as the buffer holds, or fewer."""
        with faults_as_dump_errors(self._path):
            data = self._source.read(len(buffer))
            if self._file.tell() > self._packed_bytes:  # it may grow without end
                raise DumpError(f"{self._path}: the file grew while it was read. It is loaded when it is complete.")
        self._hash.update(data)
        self.size += len(data)
        check_expansion(self._path, self._packed_bytes, self.size)
        buffer[: len(data)] = data
        return len(data)


def check_expansion(path: Path | str, packed_bytes: int, expanded_bytes: int) -> None:
    """Raises DumpError if a file expands so far that it must have been made to fill a disk."""
    beyond_ratio = expanded_bytes > max(RATIO_COUNTS_FROM_BYTES, RATIO_LIMIT * packed_bytes)
    if beyond_ratio or expanded_bytes > EXPANDED_LIMIT_BYTES:
        raise DumpError(
            f"{path}: {packed_bytes:,} bytes expand to {expanded_bytes:,} or more; "
            f"expected at most {RATIO_LIMIT} times as many, and at most {EXPANDED_LIMIT_BYTES:,} in all."
        )


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[Content, BinaryIO]]:
    """The content of `path`, and a buffered stream of it, for the length of a `with` block.

    Raises DumpError, also while the stream is read, if the file cannot be read, is empty, damaged or cut off.
    """
    with ExitStack() as stack:
        with faults_as_dump_errors(path):
            file, size = stack.enter_context(opened(path))
            source, packing = _open(path, file, stack)
        content = Content(path, file, size, source, packing)
        yield content, io.BufferedReader(content, BUFFER_BYTES)


def real(path: Path) -> Path:
    """Where a path leads. Links that lead in a circle stay as they are: Path.resolve raises RuntimeError for them."""
    return Path(os.path.realpath(path))


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The file, open for reading, and its size, for the length of a `with` block.

    Others may write to its folder, and put something else in its place at any moment. So the checks are made on the
    file that was opened: a link is followed only to a file beside it, and a pipe is neither waited for nor read.
    Raises DumpError if it is not a file, OSError if it cannot be opened.
    """
    if not isinstance(path, Path):  # in a bucket
        with path.open("rb") as file:
            yield file, path.stat().st_size
        return
    place = real(path)
    if place.parent != real(path.parent):
        raise DumpError(f"{path}: the link leads out of its folder. Put the file itself there.")
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise DumpError(f"{path}: expected a file; found a pipe or a device.")
        yield file, status.st_size


@contextmanager
def faults_as_dump_errors(path: Path | str) -> Iterator[None]:
    """Turns any failure to open or read `path` into an error that says what to do.

    That is a DumpError if the file is at fault, an UnavailableError if the failure may pass.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _PASSING or isinstance(error, TimeoutError | ConnectionError):
            raise UnavailableError(f"{path}: cannot be read just now: {error.strerror or error}.") from error
        if error.errno is None:  # how the decompressors report bad data
            raise DumpError(f"{path}: damaged or cut off: {_shown(error)}. Fetch the file again.") from error
        raise DumpError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except _DAMAGE as error:
        if _WINDOW_TOO_LARGE in str(error):
            raise DumpError(
                f"{path}: cannot be unpacked: its zstd window takes more than {ZSTD_WINDOW_LIMIT >> 20} MiB of memory, "
                "unless it is damaged. Pack it without --long and --ultra."
            ) from error
        raise DumpError(f"{path}: damaged or cut off: {_shown(error)}. Fetch the file again.") from error
    except RuntimeError as error:  # encrypted, or compressed in a way that Python does not know
        raise DumpError(f"{path}: cannot be unpacked: {_shown(error)}. Pack it as a plain zip or gzip.") from error
    except LgsError:
        raise
    except Exception as error:  # the driver of a bucket has errors of its own
        if not getattr(path, "protocol", ""):
            raise
        raise UnavailableError(f"{path}: cannot be read just now: {_shown(error)}.") from error


def _shown(error: Exception) -> str:
    return str(error)[:SHOWN_CHARACTERS]


def _open(path: Path, file: Any, stack: ExitStack) -> tuple[Any, str | None]:
    magic = file.read(len(_XZ_MAGIC))
    file.seek(0)
    if not magic:
        raise DumpError(f"{path}: the file is empty. Fetch it again.")
    if magic.startswith(_GZIP_MAGIC):
        return stack.enter_context(gzip.open(file)), "gzip"
    if magic.startswith(_BZIP2_MAGIC):
        return stack.enter_context(bz2.open(file)), "bzip2"
    if magic.startswith(_XZ_MAGIC):
        return stack.enter_context(lzma.open(file)), "xz"
    if magic.startswith(_ZSTD_MAGIC):
        return stack.enter_context(zstd.open(file)), "zstd"
    if magic.startswith(_ZIP_MAGICS):
        archive = stack.enter_context(zipfile.ZipFile(file))
        if _OFFICE_MEMBERS.isdisjoint(map(str.lower, archive.namelist())):
            return _content(path, archive, stack), "zip"
        file.seek(0)
    return file, None


def _content(path: Path, archive: zipfile.ZipFile, opened: ExitStack) -> Any:
    """The file or files in the archive."""
    members = [member for member in archive.infolist() if not (member.is_dir() or _DEBRIS.search(member.filename))]
    if not 1 <= len(members) <= FILES_LIMIT:
        raise DumpError(f"{path}: expected up to {FILES_LIMIT} files in the archive, found {len(members) or 'none'}.")
    (name, count), *_ = Counter(member.filename for member in members).most_common(1)
    if count > 1:  # parts of the data, or an old state and a new one: the archive does not show which
        raise DumpError(
            f"{path}: {count} files in the archive have the name {name}. Pack each under a name of its own."
        )
    return opened.enter_context(archive.open(members[0]) if len(members) == 1 else _Members(archive, members))


class _Members:
    """The files of an archive as a stream that ends at the end of each."""

    def __init__(self, archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> None:
        self.files = [member.filename for member in members]
        self._archive = archive
        self._rest = iter(members)
        self._file = archive.open(next(self._rest))

    def __enter__(self) -> "_Members":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        """The next bytes of the open file."""
        return self._file.read(size)

    def next(self) -> bool:
        """Opens the next file. Returns whether there is one."""
        if (member := next(self._rest, None)) is None:
            return False
        self._file.close()
        self._file = self._archive.open(member)
        return True


@contextmanager
def seekable(stream: BinaryIO) -> Iterator[BinaryIO]:
    """The stream as a seekable file: on disk, for the length of a `with` block."""
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(stream, file, BUFFER_BYTES)
        file.seek(0)
        yield file


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's uncompressed content, which tells a dump from any other. Raises DumpError."""
    with unpacked(path) as (content, stream):
        while stream.read(BUFFER_BYTES) or content.next_file():
            pass
        return content.sha256
