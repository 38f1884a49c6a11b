"""COPY's text format: how it writes a value, and what a field means."""

import re

NULL = b"\\N"
END = b"\\.\n"
"""The line after the last row."""
ESCAPES = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}
"""How a value's characters are written. The backslash comes first: the others bring some."""

# A backslash and a tab also mean a tab, though pg_dump writes a backslash and a t.
_ESCAPED_TAB = re.compile(rb"((?<!\\)(?:\\\\)*\\)\t")
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.S)
_MEANINGS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_TRANSLATION = str.maketrans(ESCAPES)


def escaped(value: str | None) -> str:
    """A value as a field; None if it is missing."""
    return NULL.decode() if value is None else value.translate(_TRANSLATION)


def unescaped(field: bytes) -> bytes:
    """The bytes that a field other than NULL stands for."""
    return _ESCAPE.sub(_meaning, field) if b"\\" in field else field


def fields_of(line: bytes) -> list[bytes] | None:
    """The fields of a line as written, None if the line ends in a backslash that escapes nothing."""
    if b"\\" not in line:
        return line.split(b"\t")
    if (len(line) - len(line.rstrip(b"\\"))) % 2:
        return None
    return _ESCAPED_TAB.sub(rb"\1t", line).split(b"\t")


def _meaning(escape: re.Match[bytes]) -> bytes:
    what = escape[1]
    if b"0" <= what[:1] <= b"7":
        return bytes([int(what, 8) & 0xFF])
    if what[:1] == b"x" and len(what) > 1:
        return bytes([int(what[1:], 16)])
    return _MEANINGS.get(what, what)
