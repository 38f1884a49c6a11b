"""Text in other encodings, turned into UTF-8, so that the rest reads one encoding."""

import codecs
import io
import re
from pathlib import Path
from typing import Any, BinaryIO

from lgs_assets.errors import DumpError

BUFFER_BYTES = 1 << 18
_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_FALLBACK = "cp1252"  # what Windows calls ANSI in Britain


class Decoder:
    """Turns complete lines into UTF-8. Bytes that are not text in their encoding stay as bytes that are not UTF-8.

    Unless a name is given, lines are UTF-8, or cp1252, the encoding of Windows, if the first ones beyond ASCII show
    that. Later lines that are UTF-8 throughout are still taken as such: hardly any other text is that by chance.
    """

    def __init__(self, name: str | None = None) -> None:
        self._codec = codecs.lookup(name) if name else None
        self._is_given = name is not None

    @property
    def name(self) -> str:
        """The encoding as far as it is known: plain ASCII is also UTF-8."""
        return self._codec.name if self._codec else "utf-8"

    def __call__(self, data: bytes) -> bytes:
        """The lines in UTF-8."""
        if self._codec is None:
            if data.isascii():
                return data
            self._codec = codecs.lookup(_likelier(data))
        if self._codec.name == "utf-8" or (not self._is_given and _is_utf_8(data)):
            return data
        return data.decode(self._codec.name, "surrogateescape").encode("utf-8", "surrogateescape")


def _is_utf_8(data: bytes) -> bool:
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _likelier(data: bytes) -> str:
    """UTF-8 unless invalid bytes outnumber its characters beyond ASCII, which rarely occur by chance."""
    text = data.decode("utf-8", "surrogateescape")
    stray = len(re.findall("[\udc80-\udcff]", text))
    return "utf-8" if len(re.findall("[^\0-\x7f\udc80-\udcff]", text)) >= stray else _FALLBACK


def without_byte_order_mark(path: Path | str, stream: BinaryIO) -> tuple[BinaryIO, str | None]:
    """The stream after its byte order mark, UTF-16 turned into UTF-8, and the encoding that it showed.

    Reading it raises DumpError if half a character of UTF-16 is left over at its end.
    """
    start = stream.peek(4)[:4]  # type: ignore[attr-defined]
    for mark, name in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            stream.read(len(mark))
            return (stream if name == "utf-8" else _recoded(path, stream, name)), name
    # ASCII in UTF-16 has a NUL in every other byte.
    if len(start) == 4 and (start[1] == start[3] == 0 or start[0] == start[2] == 0):
        name = "utf-16-le" if start[1] == 0 else "utf-16-be"
        return _recoded(path, stream, name), name
    return stream, None


def _recoded(path: Path | str, stream: BinaryIO, name: str) -> BinaryIO:
    return io.BufferedReader(_Recoded(path, stream, name), BUFFER_BYTES)


class _Recoded(io.RawIOBase):
    """A stream of UTF-16 as one of UTF-8. Half a surrogate pair stays as bytes that are not UTF-8."""

    def __init__(self, path: Path | str, stream: BinaryIO, name: str) -> None:
        self._path = path
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(name)("surrogatepass")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and (chunk := self._stream.read(BUFFER_BYTES)):
            self._ready = self._decoder.decode(chunk).encode("utf-8", "surrogatepass")
        if not self._ready and self._decoder.getstate()[0]:
            raise DumpError(f"{self._path}: damaged or cut off: it ends in half a UTF-16 character. Fetch it again.")
        data, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)
