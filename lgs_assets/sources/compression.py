"""The bytes inside a file, whatever it is packed with: nothing, gzip, or a zip archive of one file."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from lgs_assets.errors import DumpError

_Read = Callable[[int], bytes]

_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # the second begins an archive without files
_MAC_DEBRIS = "__MACOSX/"  # what macOS packs beside a file


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[str, BinaryIO]]:
    """The name and the stream of the file inside `path`, for the length of a `with` block.

    Raises DumpError, also while the stream is read, if the file cannot be read, is empty, damaged or cut off.
    """
    with ExitStack() as opened:
        with explained(path):
            name, read = _open(path, opened)
        yield name, io.BufferedReader(_Explained(path, read))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns whatever goes wrong while `path` is opened or read into a DumpError that says what to do."""
    try:
        yield
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DumpError(f"{path}: damaged or cut off: {error}. Fetch the file again.") from error
    except OSError as error:
        raise DumpError(f"{path}: cannot be read: {error.strerror or error}.") from error


def _open(path: Path, opened: ExitStack) -> tuple[str, _Read]:
    file = opened.enter_context(io.BufferedReader(path.open("rb")))  # files in a bucket cannot peek
    magic = file.peek(4)
    if not magic:
        raise DumpError(f"{path}: the file is empty. Fetch it again.")
    if magic.startswith(_ZIP_MAGICS):
        archive = opened.enter_context(zipfile.ZipFile(file))
        names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith(_MAC_DEBRIS)]
        if len(names) != 1:
            found = f"{len(names)}: {', '.join(names[:5])}" if names else "none"
            raise DumpError(f"{path}: expected one file in the archive, found {found}.")
        try:
            return names[0], opened.enter_context(archive.open(names[0])).read
        except RuntimeError as error:  # encrypted, or packed by a method that Python does not know
            raise DumpError(f"{path}: cannot be unpacked: {error}. Pack it as a plain zip or gzip.") from error
    # Browsers unpack a .gz and keep its name: the name says what is inside, the content how it is packed.
    name = path.stem if path.suffix.lower() == ".gz" else path.name
    if magic.startswith(_GZIP_MAGIC):
        return name, opened.enter_context(gzip.open(file)).read
    return name, file.read


class _Explained(io.RawIOBase):
    """A stream whose failures are explained, those of whoever reads it left alone."""

    def __init__(self, path: Path, read: _Read) -> None:
        self._path = path
        self._read = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with explained(self._path):
            data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
