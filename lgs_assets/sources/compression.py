"""The bytes inside a file, whatever it is packed with: nothing, gzip, or a zip archive of one file."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lgs_assets.errors import DumpError

_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK\x03\x04"


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[str, BinaryIO]]:
    """The name and the stream of the file inside `path`, for the length of a `with` block.

    Raises DumpError, also while the stream is read, if the file cannot be read, is empty, damaged or cut off.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            if not magic:
                raise DumpError(f"{path}: the file is empty.")
            if magic.startswith(_GZIP_MAGIC):
                with gzip.open(file) as stream:
                    yield path.name.removesuffix(".gz"), io.BufferedReader(stream)
            elif magic.startswith(_ZIP_MAGIC):
                with zipfile.ZipFile(file) as archive:
                    members = [member for member in archive.infolist() if not member.is_dir()]
                    if len(members) != 1:
                        names = ", ".join(member.filename for member in members[:5])
                        raise DumpError(f"{path}: expected one file in the archive, found {len(members)} ({names}).")
                    with archive.open(members[0]) as stream:
                        yield members[0].filename, io.BufferedReader(stream)  # type: ignore[type-var]
            else:
                yield path.name, file
    except EOFError as error:
        raise DumpError(f"{path}: the archive is cut off: it ends in the middle of its data.") from error
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise DumpError(f"{path}: the archive is damaged or cut off: {error}.") from error
    except OSError as error:
        raise DumpError(f"{path}: cannot be read: {error.strerror or error}.") from error
