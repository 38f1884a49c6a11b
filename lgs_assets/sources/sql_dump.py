"""SQL dumps: the lines of the table `retail` in the COPY blocks of a plain `pg_dump` script.

The script is walked, not run: quoted text, comments and the blocks of other tables are passed over, and no statement
in it has any effect. Two settings are believed, because the script cannot be read without: `client_encoding` and
`standard_conforming_strings`.
"""

import codecs
import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lgs_assets.errors import DumpError
from lgs_assets.sources.columns import canonical
from lgs_assets.sources.dump import Block, Dump

TABLE = "retail"
CHUNK_BYTES = 1 << 18
LINE_LIMIT_BYTES = 1 << 24
# A COPY of the 1,600 columns that PostgreSQL allows fits. Of longer statements the rest is passed over.
STATEMENT_LIMIT_BYTES = 1 << 18
SHOWN_TABLES = 20
SHOWN_CHARACTERS = 63  # as many as PostgreSQL allows a name

# Possessive quantifiers (*+) keep the time linear, whatever the script holds.
_IDENTIFIER = r'(?:"(?:[^"]|"")*+"|[^\W\d][\w$]*+)'
_NAME = rf"{_IDENTIFIER}(?:\s*+\.\s*+{_IDENTIFIER})*+"
_COLUMNS = rf"\(\s*+({_IDENTIFIER}(?:\s*+,\s*+{_IDENTIFIER})*+)\s*+\)\s*+"
_COPY = re.compile(rf"COPY\s++({_NAME})\s*+(?:{_COLUMNS})?+FROM\s++stdin\b(.*)", re.I | re.S)
# A COPY that is followed by data or, being long, may be.
_ANY_COPY_WITH_DATA = re.compile(rf"COPY\b(?:.*\bFROM\s++stdin\b|.{{{STATEMENT_LIMIT_BYTES // 4}}})", re.I | re.S)
_INSERT = re.compile(rf"INSERT\s++INTO\s++({_NAME})", re.I)
_SETTING = re.compile(r"SET\s++(client_encoding|standard_conforming_strings)\s*+(?:=|TO\b)\s*+'?([\w-]++)'?\s*+$", re.I)
# Here every byte that looks like ASCII is ASCII. In other encodings, half a character can look like a backslash.
_READABLE_ENCODING = re.compile(
    r"UTF-?8|UNICODE|SQL_ASCII|LATIN\d+|ISO[_-]?8859[_-]\d+|(?:WIN|WINDOWS-?)(?:125\d|866|874)|KOI8-?[RU]|EUC_\w+", re.I
)

_ARCHIVE_MAGIC = b"PGDMP"
_LINE_BREAK = re.compile(rb"\n")
_NOTHING = re.compile(rb"(?:\s++|--[^\n]*+\n)*+")
_COMMENT_MARK = re.compile(rb"/\*|\*/")
_QUOTE_OR_ESCAPE = re.compile(rb"\\.|''|'", re.DOTALL)
_END_OF_DATA = re.compile(rb"\n\\\.\r?\n")
_LONGEST_END_OF_DATA = b"\n\\.\r\n"
_IN_NAME = rb"[\w$\x80-\xff]"
_TAG = rb"\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]{0,62}+)?+\$"
_LONGEST_TAG_BYTES = len("$$") + 63
_LOOKBEHIND_BYTES = 2


def _token(escaping_quote: bytes) -> re.Pattern[bytes]:
    """Group 1: what neither ends a statement nor opens anything, whole quotations included. Group 2: what does.

    Group 3 is a quote after which a backslash escapes. Group 2 is missing where only the next chunk can tell.
    """
    return re.compile(
        rb"""
        ( (?: [^;'"$/-]++
            | (?!%(escaping_quote)b)'[^']*+'
            | "[^"]*+"
            | -(?=[^-])
            | /(?=[^*])
            | (?<=%(in_name)b)\$
            | (?!%(tag)b)\$(?=.{%(longest_tag)d})
          )*+ )
        ( ; | -- | /\* | (%(escaping_quote)b) | ' | " | %(tag)b )?
        """
        % {b"escaping_quote": escaping_quote, b"in_name": _IN_NAME, b"tag": _TAG, b"longest_tag": _LONGEST_TAG_BYTES},
        re.VERBOSE | re.DOTALL,
    )


_TOKEN = _token(rb"(?<=(?<!%b)[Ee])'" % _IN_NAME)
_TOKEN_IF_BACKSLASHES_ESCAPE = _token(rb"'")
# Put behind the end of the script, so that a pattern finds there what it finds elsewhere: more bytes.
_PADDING = b"\n" * _LONGEST_TAG_BYTES


def parse(path: Path, stream: BinaryIO) -> Dump:
    """A plain SQL script as a dump. Raises DumpError if it cannot hold lines of the table."""
    blocks = _blocks(_Script(path, stream))
    first = next(blocks)  # a file without the table fails here
    return Dump(path, "text", itertools.chain([first], blocks))


def _blocks(script: "_Script") -> Iterator[Block]:
    table: tuple[str, ...] = ()
    others: set[str] = set()
    while (statement := script.statement()) is not None:
        if setting := _SETTING.match(statement):
            script.believe(setting[1].lower(), setting[2])
        elif match := (copy := _COPY.match(statement)) or _INSERT.match(statement):
            name = _unquoted(match[1])
            if copy:
                script.skip_line()
            if name[-1] == TABLE:
                if table not in ((), name):
                    raise DumpError(
                        f"{script.where}: expected one table, found {'.'.join(name)} and {'.'.join(table)}."
                    )
                table = name
                block = _block(script, copy)
                yield block
                for _ in block.chunks:  # whatever the reader left
                    pass
            else:
                if len(others) < SHOWN_TABLES:
                    others.add(name[-1][:SHOWN_CHARACTERS])
                for _ in script.copy_data() if copy else ():
                    pass
        elif _ANY_COPY_WITH_DATA.match(statement):
            raise DumpError(f"{script.where}: this COPY is not understood: {statement[:SHOWN_CHARACTERS]}")
    if not table:
        found = ", ".join(sorted(others)) or "none"
        raise DumpError(f"{script.path}: no COPY block of the table {TABLE}. Tables with data in the file: {found}.")


def _block(script: "_Script", copy: re.Match[str] | None) -> Block:
    """The block whose COPY was just read."""
    if copy is None:
        raise DumpError(
            f"{script.where}: the lines of {TABLE} come as INSERT statements; expected COPY blocks, "
            "as pg_dump writes them without --inserts."
        )
    _, columns, options = copy.groups()
    if options.strip():
        raise DumpError(f"{script.where}: expected COPY without options, found {options.strip()[:SHOWN_CHARACTERS]}.")
    if columns is None:
        raise DumpError(f"{script.where}: this COPY does not name its columns, so their order is not known.")
    data = script.copy_data(line_limit=LINE_LIMIT_BYTES)
    return Block(canonical(_unquoted(columns), where=script.where), script.line, script.encoding, data)


class _Script:
    """A cursor on a script that hands out statements and COPY data, and counts lines."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self.line = 1
        self.statement_line = 1
        self.encoding = "UTF8"
        self._token = _TOKEN
        self._stream = stream
        self._buffer = _opening(path, stream)
        self._at = 0
        self._exhausted = False

    @property
    def where(self) -> str:
        """The place of the statement that was read last."""
        return f"{self.path}, line {self.statement_line}"

    def believe(self, setting: str, value: str) -> None:
        """Reads what follows as a setting of the script wants it."""
        if setting == "standard_conforming_strings":
            self._token = _TOKEN if value.lower() == "on" else _TOKEN_IF_BACKSLASHES_ESCAPE
        elif _READABLE_ENCODING.fullmatch(value):
            self.encoding = value
        else:
            raise DumpError(f"{self.where}: the encoding {value} is not read. Write it with pg_dump --encoding=UTF8.")

    def statement(self) -> str | None:
        """The next statement without its semicolon and comments, cut if it is long; None at the end.

        Lines that begin with a backslash where a statement could begin are commands to psql: passed over.
        """
        text = bytearray()
        while True:
            if not text:
                self._skip_nothing()
                self.statement_line = self.line
            before, token, escaping = self._next_token()
            text += before
            if token in (b";", b""):
                break
            if token in (b"--", b"/*"):
                self.skip_line() if token == b"--" else self._skip_comment()
                text += b" " if text else b""
            else:
                text += token + self._rest_of_quotation(token, escaping=escaping)
            del text[STATEMENT_LIMIT_BYTES:]
        return text[:STATEMENT_LIMIT_BYTES].decode(errors="replace") if token or text.strip() else None

    def copy_data(self, *, line_limit: int | None = None) -> Iterator[bytes]:
        """The lines up to the line `\\.`, in chunks cut anywhere. The cursor is at the start of the first one.

        Raises DumpError if that line never comes, or if a line is longer than the limit.
        """
        first_line, length = self.line, 0
        while True:
            end = _END_OF_DATA.search(self._buffer, self._at - 1)
            if not end and self._exhausted:
                raise DumpError(
                    f"{self.path}: cut off: the file ends within the data that begins in line {first_line}; "
                    "expected a line \\. after it. Fetch the file again."
                )
            if data := self._consume(end.start() + 1 if end else len(self._buffer) - len(_LONGEST_END_OF_DATA)):
                yield data
            if end:
                self._consume(end.end())
                return
            length = len(data) - 1 - data.rfind(b"\n") + (0 if b"\n" in data else length)
            if line_limit and length > line_limit:
                raise DumpError(f"{self.path}, line {self.line}: the line is longer than {line_limit:,} bytes.")
            self._fill()

    def skip_line(self) -> None:
        """Moves to the start of the next line."""
        self._find(_LINE_BREAK)

    def _skip_nothing(self) -> None:
        """Moves to the start of the next statement, or to a comment that does not end in the buffer."""
        while True:
            if match := _NOTHING.match(self._buffer, self._at):
                self._consume(match.end())
            if self._buffer.startswith(b"\\", self._at):
                self.skip_line()
            elif self._at < len(self._buffer) or self._exhausted:
                return
            else:
                self._fill()

    def _skip_comment(self) -> None:
        line, depth = self.line, 1
        while depth:
            _, mark = self._find(_COMMENT_MARK, longest=2)
            if mark is None:
                raise DumpError(f"{self.path}, line {line}: cut off: this comment never ends. Fetch the file again.")
            depth += 1 if mark == b"/*" else -1

    def _rest_of_quotation(self, opening: bytes, *, escaping: bool) -> bytes:
        """What follows the opening mark up to and with the closing one, cut if it is long."""
        closing = _QUOTE_OR_ESCAPE if escaping else re.compile(re.escape(opening))
        line, text = self.line, bytearray()
        while True:
            before, mark = self._find(closing, longest=max(2, len(opening)))
            if mark is None:
                raise DumpError(f"{self.path}, line {line}: cut off: this quotation never ends. Fetch the file again.")
            text += before + mark
            del text[STATEMENT_LIMIT_BYTES:]
            if mark == opening:
                return bytes(text)

    def _next_token(self) -> tuple[bytes, bytes, bool]:
        """Moves past the next token. Returns what came before it, cut if long, the token, and if backslashes escape.

        The token is empty at the end of the script.
        """
        passed = b""
        while match := self._token.match(self._buffer, self._at):  # it always matches, if only nothing
            passed = (passed + match[1])[:STATEMENT_LIMIT_BYTES]
            if match[2]:
                self._consume(match.end())
                return passed, match[2], match[3] is not None
            self._consume(match.end(1))
            if self._exhausted:
                break
            self._fill()
        return passed, b"", False

    def _find(self, mark: re.Pattern[bytes], *, longest: int = 1) -> tuple[bytes, bytes | None]:
        """Moves past the next mark, of up to `longest` bytes. Returns what came before it, cut if long, and the mark.

        The mark is None at the end of the script.
        """
        passed = b""
        while True:
            match = mark.search(self._buffer, self._at)
            if match and match.end() < len(self._buffer):  # else it may go on in the next chunk
                passed += self._buffer[self._at : match.start()]
                self._consume(match.end())
                return passed[:STATEMENT_LIMIT_BYTES], match[0]
            if self._exhausted:
                return passed, None
            passed = (passed + self._consume(len(self._buffer) - longest))[:STATEMENT_LIMIT_BYTES]
            self._fill()

    def _fill(self) -> None:
        chunk = self._stream.read(CHUNK_BYTES)
        self._exhausted = not chunk
        start = max(0, self._at - _LOOKBEHIND_BYTES)
        self._buffer = self._buffer[start:] + (chunk or _PADDING)
        self._at -= start

    def _consume(self, to: int) -> bytes:
        """Moves to a position in the buffer, never back. Returns what was passed."""
        start, self._at = self._at, max(to, self._at)
        data = self._buffer[start : self._at]
        self.line += data.count(b"\n")
        return data


def _opening(path: Path, stream: BinaryIO) -> bytes:
    """The first bytes of the script, without byte order mark. Raises DumpError if they are those of another format."""
    start = stream.read(len(_ARCHIVE_MAGIC))
    if start == _ARCHIVE_MAGIC:
        raise DumpError(f"{path}: an archive of pg_dump; expected plain SQL. pg_restore --file turns it into that.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DumpError(f"{path}: the text is UTF-16; expected UTF-8, as pg_dump --file writes it.")
    return start.removeprefix(codecs.BOM_UTF8)


@functools.lru_cache(maxsize=8)  # a run of INSERTs names one table
def _unquoted(identifiers: str) -> tuple[str, ...]:
    """The names that identifiers stand for: as written in quotes, in lower case without."""
    found = re.findall(_IDENTIFIER, identifiers)
    return tuple(name[1:-1].replace('""', '"') if name.startswith('"') else name.lower() for name in found)
