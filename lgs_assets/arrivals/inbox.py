"""Where dumps arrive, a folder or a bucket: which files there are dumps, and what tells one version from another.

A directory is listed once and no file is read: what is in a dump is the subject of `sources`.
"""

import math
import os
import stat
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from errno import EISDIR
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from upath import UPath

from lgs_assets.configuration import Acceptance
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.errors import DumpError
from lgs_assets.places import open_place, reaching
from lgs_assets.sources.compression import opened
from lgs_assets.warehouse.loading import DumpFile

VARIABLE = "LGS_INBOX"
"""The variable that says where the inbox is."""
COPY_BYTES = 1 << 20
FORGOTTEN = "forgotten"
"""The folder of the inbox to which dumps are set aside."""
MARKER = ".done"
"""The suffix of a marker file: it says that the file of the same name without it is complete."""

_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download", "._copying_", ".swp", "~")
_LEFT_ALONE = {FORGOTTEN, "lost+found"}  # the second is at the root of many mounted disks
_UNPRINTABLE = {"Cc", "Cs"}  # control characters, and bytes that are not UTF-8
# What the drivers of Azure, S3 and Google Cloud call these.
_MODIFIED = ("last_modified", "LastModified", "mtime")
_ENTITY_TAG = ("etag", "ETag")

_NO_FILE = "is not a file. Put dump files directly in the inbox, and move this elsewhere."
_LEADS_OUT = "leads out of the inbox. Put the file itself there."
_NAME_OF_DEMO = "has the name of the demo dump, which has its own place. Rename it."

_reaching = partial(reaching, variable=VARIABLE)


@dataclass(frozen=True)
class Arrival:
    """A dump in the inbox."""

    version: str
    """Differs when the content does: size and modification time; in a bucket, size and entity tag."""
    is_marked: bool
    """Whether a marker says that it is complete."""


@dataclass(frozen=True)
class Listing:
    """The files in the inbox."""

    arrivals: dict[str, Arrival] = field(default_factory=dict)
    """The dumps by name, complete or not."""
    refused: list[str] = field(default_factory=list)
    """Entries that cannot be loaded as they are: where, why, and what to do."""


@dataclass(frozen=True)
class _Entry:
    """A file as its directory lists it."""

    name: str
    version: str = ""
    modified: float = 0
    """Seconds since 1970."""
    objection: str = ""
    """Why it is not taken; empty if it is."""


@dataclass(frozen=True)
class Inbox:
    """Where dumps arrive: a folder or a bucket. A dump's file name is its partition key.

    Each method raises LgsError if the inbox is out of reach, and DumpError for what is wrong with one file.
    """

    location: str
    """The folder, or the URL of a bucket."""
    demo_folder: Path
    """Where the demo dump is: it must never mix with real ones."""

    @property
    def _place(self) -> UPath:
        return open_place(self.location, variable=VARIABLE)

    def prepare(self) -> None:
        """Creates the folder, for people to find. A bucket is not ours to create."""
        if not (where := self._place).protocol:
            where.mkdir(mode=0o700, parents=True, exist_ok=True)

    def files(self) -> Listing:
        """The dumps in the inbox, without hidden and temporary names, markers and dumps set aside.

        A folder that does not exist yet is empty.
        """
        with _reaching(where := self._place):
            entries = [*(_objects(where) if where.protocol else _files(Path(where.path)))]
        marked_at = {each.name.removesuffix(MARKER): each.modified for each in entries if each.name.endswith(MARKER)}
        found = Listing()
        for entry in sorted(entries, key=lambda entry: entry.name):
            if _is_passed_over(entry.name):
                continue
            demo = _NAME_OF_DEMO if entry.name == DEMO_DUMP else ""
            if objection := demo or _objection_to(entry.name) or entry.objection:
                found.refused.append(f"{_shown(where / entry.name)}: {objection}")
            else:
                # A marker older than the file is about an earlier version of it.
                is_marked = marked_at.get(entry.name, -math.inf) >= entry.modified
                found.arrivals[entry.name] = Arrival(entry.version, is_marked)
        return found

    def path_of(self, dump: str) -> UPath:
        """Where the dump of this name is: never out of the inbox."""
        if dump == DEMO_DUMP:
            return UPath(self.demo_folder / dump)
        path = (where := self._place) / dump
        if "/" in dump or dump == ".." or not (where.protocol or _is_inside(Path(where.path), Path(path.path))):
            raise DumpError(f"{_shown(path)}: {_LEADS_OUT}")
        if objection := _objection_to(dump):
            raise DumpError(f"{_shown(path)}: {objection}")
        return path

    def version_of(self, dump: str) -> str:
        """The version of the dump, as in a listing."""
        return _entry_of(self.path_of(dump)).version

    def dump(self, name: str, acceptance: Acceptance) -> DumpFile:
        """The dump of this name as it is now, and how to read and judge it."""
        path = self.path_of(name)
        # Noted before the file is read: one that is replaced meanwhile is another version, and is loaded again.
        entry = _entry_of(path)
        return DumpFile(
            path,  # type: ignore[arg-type] # a UPath has all that reading needs of a Path
            name,
            version=entry.version,
            written_at=datetime.fromtimestamp(min(max(entry.modified, 0), time.time()), UTC),
            reject_limit=acceptance.reject_limit,
            dates=acceptance.dates,
            # Synthetic and real lines must never be added up: the first real dump takes the demo's place.
            supersedes=None if name == DEMO_DUMP else DEMO_DUMP,
        )

    def land(self, file: Path) -> str:
        """Copies a file into the inbox, where it appears complete or not at all. Returns its name there.

        In a folder, a file with the same bytes is left as it is: it is not a new version. An earlier file of the name
        is set aside, because the new one may turn out not to be a dump.
        """
        target = self.path_of(file.name)
        if target.protocol:
            _set_aside(target)
            with _reaching(target):
                # An upload appears when it is complete. Four parts at a time bound the memory that it takes.
                target.fs.put_file(str(file), target.path, max_concurrency=4)
        else:
            try:
                _land_here(file, Path(target.path))
            except OSError as error:
                raise DumpError(f"{file}: cannot be copied to {target}: {error.strerror or error}.") from error
        return file.name

    def set_aside(self, dump: str) -> UPath | None:
        """Moves a dump to the inbox's folder `forgotten`. Returns its new place; None if it was not there."""
        return _set_aside(self.path_of(dump))


def is_name(text: str) -> bool:
    """Whether a dump can have this name."""
    return not _objection_to(text)


def _land_here(file: Path, target: Path) -> None:
    """Copies a file, readable by its owner only, under a name that nobody can guess; then gives it its own."""
    if target.is_dir():
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with opened(file.resolve()) as (source, size):
        if _holds(target, source, size):
            return
        source.seek(0)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".arriving-")  # O_EXCL: it follows no link
        arriving = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as copy:
                while data := source.read(min(COPY_BYTES, size - copy.tell())):
                    copy.write(data)
            if source.read(1):
                raise DumpError(f"{_shown(file)}: the file grew while it was copied. Try again when it is complete.")
            _set_aside(UPath(target))
            arriving.replace(target)
        finally:
            arriving.unlink(missing_ok=True)


def _holds(target: Path, source: BinaryIO, size: int) -> bool:
    """Whether `target` is a file with the same content, as it is when it is opened: others may replace it meanwhile."""
    if target.is_symlink():
        return False
    with suppress(OSError, DumpError), opened(target) as (there, length):
        steps = range(0, size, COPY_BYTES)
        return length == size and all(source.read(COPY_BYTES) == there.read(COPY_BYTES) for _ in steps)
    return False


def _set_aside(path: UPath) -> UPath | None:
    """Moves a dump to the folder `forgotten` beside it, in place of an earlier one of its name.

    Returns its new place; None if it was not there. Raises LgsError if it cannot be moved.
    """
    aside = path.parent / FORGOTTEN / path.name
    with _reaching(path), suppress(FileNotFoundError):
        if path.protocol:
            # Through this machine: some drivers delete the original before the bucket has made its own copy.
            return path.move(aside)
        if stat.S_ISDIR(path.lstat().st_mode):
            raise DumpError(f"{_shown(path)}: {_NO_FILE}")
        with suppress(FileExistsError):
            Path(aside.parent.path).mkdir(mode=0o700)
        folder = os.open(aside.parent.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)  # never through a link
        try:
            os.rename(path.path, path.name, dst_dir_fd=folder)
        finally:
            os.close(folder)
        return aside
    return None


def _entry_of(path: UPath) -> _Entry:
    """The file as its directory would list it. Raises DumpError if it is not there, LgsError if it is out of reach."""
    with _reaching(path):
        try:
            return _object(path.fs.info(path.path)) if path.protocol else _file(path.name, Path(path.path).stat())
        except FileNotFoundError as error:
            raise DumpError(f"{_shown(path)}: no such file. Put it there again.") from error


def _objects(where: UPath) -> Iterator[_Entry]:
    try:
        objects = where.fs.ls(where.path, detail=True)
    except FileNotFoundError:
        if not where.fs.exists(where.drive):
            raise
        return  # nothing has arrived under this prefix yet
    itself = where.path.rstrip("/")
    if [info["name"].rstrip("/") for info in objects] == [itself]:
        # An object that stands for the folder, as file browsers create it: Azure's driver then lists nothing else.
        objects = where.fs.find(where.path, withdirs=True, detail=True).values()
    for info in objects:
        if info["name"].rstrip("/").rpartition("/")[0] == itself:
            yield _object(info)


def _object(info: dict[str, Any]) -> _Entry:
    """The entry of an object, from what its driver reports."""
    name = info["name"].rstrip("/").rpartition("/")[2]
    if info["type"] != "file":
        return _Entry(name, objection=_NO_FILE)
    modified = next((info[key].timestamp() for key in _MODIFIED if key in info), 0.0)
    tag = next((info[key] for key in _ENTITY_TAG if key in info), modified)
    return _Entry(name, f"{info['size']}:{tag}", modified)


def _files(folder: Path) -> Iterator[_Entry]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # it has gone since
                yield _file_in(folder, entry)


def _file_in(folder: Path, entry: os.DirEntry[str]) -> _Entry:
    try:
        if entry.is_symlink() and not _is_inside(folder, Path(entry)):
            return _Entry(entry.name, objection=_LEADS_OUT)
        return _file(entry.name, entry.stat()) if entry.is_file() else _Entry(entry.name, objection=_NO_FILE)
    except FileNotFoundError:
        raise
    except OSError as error:  # circular links, for one
        return _Entry(entry.name, objection=f"cannot be opened: {error.strerror}. Put the file there again.")


def _file(name: str, status: os.stat_result) -> _Entry:
    return _Entry(name, f"{status.st_size}:{status.st_mtime_ns}", status.st_mtime)


def _is_inside(folder: Path, path: Path) -> bool:
    """Whether the path, with links followed, is below the folder."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _is_passed_over(name: str) -> bool:
    """Whether the inbox ignores a file of this name, for now or for good."""
    return name.startswith((".", "~")) or name.lower().endswith((*_UNFINISHED, MARKER)) or name in _LEFT_ALONE


def _objection_to(name: str) -> str:
    """Why a dump cannot have this name, which becomes a partition key; empty if it can."""
    if not name or "/" in name:
        return "is not the name of a file."
    if _is_passed_over(name):
        return "the inbox ignores a file of this name, as temporary. Rename it."
    if "..." in name:
        return "three dots in a name mean a range of dumps in Dagster. Rename it."
    if any(unicodedata.category(character) in _UNPRINTABLE for character in name):
        return "the name holds a control character or is not UTF-8. Rename it."
    return ""


def _shown(path: UPath | Path) -> str:
    """The path in a message: with escapes if it holds characters that a terminal or a log cannot show."""
    return text if (text := str(path)).isprintable() else ascii(text)
