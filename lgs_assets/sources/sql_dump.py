"""SQL dumps: the lines of the table `retail` in the COPY blocks of a plain `pg_dump` script.

The script is walked, not run: quoted text, comments and the blocks of other tables are passed over, and no statement
in it has any effect. The one setting that is believed is `client_encoding`, because the lines cannot be read without.
"""

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
# Enough of a statement to tell a COPY with its columns; of longer ones, such as INSERTs, the rest is passed over.
STATEMENT_LIMIT_BYTES = 1 << 16

_DEFAULT_ENCODING = "UTF8"
# What ends a statement, or begins text in which a semicolon means nothing.
_TOKEN = re.compile(rb"(;)|(--)|(/\*)|(\bE)?'|(\")|(\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$)", re.IGNORECASE)
_LONGEST_TOKEN_BYTES = 256
_NOT_BLANK = re.compile(rb"\S")
_LINE_BREAK = re.compile(rb"\n")
_COMMENT_MARK = re.compile(rb"/\*|\*/")
_QUOTE = re.compile(rb"'")
_QUOTE_OR_ESCAPE = re.compile(rb"\\.|'", re.DOTALL)
_DOUBLE_QUOTE = re.compile(rb'"')
_IDENTIFIER = r'(?:"(?:[^"]|"")*"|[^\W\d][\w$]*)'
_COPY = re.compile(
    rf"\s*COPY\s+((?:{_IDENTIFIER}\s*\.\s*)*{_IDENTIFIER})\s*(?:\((.*?)\))?\s*FROM\s+stdin\b(.*)", re.I | re.S
)
_INSERT = re.compile(rf"\s*INSERT\s+INTO\s+((?:{_IDENTIFIER}\s*\.\s*)*{_IDENTIFIER})", re.I)
_ENCODING = re.compile(r"\s*SET\s+client_encoding\s*(?:=|TO)\s*'?(\w+)'?\s*$", re.I)


def parse(path: Path, stream: BinaryIO) -> Dump:
    """A plain SQL script as a dump. Raises DumpError if it cannot hold lines of the table."""
    script = _Script(path, stream)
    blocks = _blocks(script)
    # Read up to the first block, so that the encoding is known and a file without the table fails here.
    first = next(blocks, None)
    if first is None:
        others = ", ".join(sorted(script.tables_seen)) or "none"
        raise DumpError(f"{path}: no COPY block of the table {TABLE}. Tables with data in the file: {others}.")

    def all_blocks() -> Iterator[Block]:
        yield first
        yield from blocks

    return Dump(path, "text", script.encoding, all_blocks())


def _blocks(script: "_Script") -> Iterator[Block]:
    while (statement := script.statement()) is not None:
        if match := _ENCODING.match(statement):
            script.encoding = match[1]
        elif match := _INSERT.match(statement):
            script.tables_seen.add(_last_name(match[1]))
            if _last_name(match[1]) == TABLE:
                raise DumpError(
                    f"{script.path}, line {script.line}: the table {TABLE} comes as INSERT statements; "
                    "expected COPY blocks, as pg_dump writes them without --inserts."
                )
        elif match := _COPY.match(statement):
            name, fields, options = match.groups()
            script.tables_seen.add(_last_name(name))
            script.skip_line()
            if _last_name(name) != TABLE:
                for _ in script.copy_data():
                    pass
                continue
            where = f"{script.path}, line {script.line - 1}"
            if options.strip():
                raise DumpError(f"{where}: expected COPY in its default format, found the options {options.strip()}.")
            if fields is None:
                raise DumpError(f"{where}: COPY {name} names no columns, so their order is not known.")
            names = [_unquoted(field) for field in re.findall(_IDENTIFIER, fields)]
            chunks = script.copy_data()
            yield Block(canonical(names, where=where), script.line, chunks)
            for _ in chunks:  # whatever the reader of the block left
                pass


class _Script:
    """A cursor on a script that hands out statements and COPY data, and counts lines."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self.line = 1
        self.encoding = _DEFAULT_ENCODING
        self.tables_seen: set[str] = set()
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self._exhausted = False

    def statement(self) -> str | None:
        """The next statement without its semicolon and comments, cut if it is long; None at the end.

        Lines that begin with a backslash where a statement could begin are commands to psql: passed over.
        """
        head = b""
        while True:
            if not head.strip():
                _, token = self._until(_NOT_BLANK, keep_match=True)
                if token and token[0] == b"\\":
                    self.skip_line()
                    continue
            before, token = self._until(_TOKEN)
            head = (head + before)[:STATEMENT_LIMIT_BYTES]
            if token is None:
                return head.decode(errors="replace") if head.strip() else None
            if token[1]:
                return head.decode(errors="replace")
            if token[2]:
                self.skip_line()
            elif token[3]:
                self._skip_comment()
            else:
                head = (head + token[0] + self._rest_of_literal(token))[:STATEMENT_LIMIT_BYTES]

    def copy_data(self) -> Iterator[bytes]:
        """The lines up to the line `\\.`, in chunks of whole lines. Raises DumpError if that line never comes."""
        first_line = self.line
        while True:
            # The cursor is at the start of a line. No line of data starts like this: COPY doubles a backslash.
            is_here = self._buffer.startswith(b"\\.", self._at)
            marker = self._at if is_here else self._buffer.find(b"\n\\.", self._at) + 1
            if is_here or marker:
                end = self._buffer.find(b"\n", marker) + 1 or (len(self._buffer) if self._exhausted else 0)
                if self._buffer[marker:end].rstrip(b"\r\n") == b"\\.":
                    if data := self._consume(marker):
                        yield data
                    self._consume(end)
                    return
            if data := self._consume(max(self._at, self._buffer.rfind(b"\n", self._at) + 1)):
                yield data
            if len(self._buffer) - self._at > LINE_LIMIT_BYTES:
                raise DumpError(f"{self.path}, line {self.line}: longer than {LINE_LIMIT_BYTES:,} bytes.")
            if self._exhausted:
                raise DumpError(
                    f"{self.path}, line {self.line}: the file ends within the data that begins in line {first_line}; "
                    "expected a line \\. after them. The dump is cut off."
                )
            self._fill()

    def skip_line(self) -> None:
        """Moves to the start of the next line."""
        self._until(_LINE_BREAK)

    def _skip_comment(self) -> None:
        depth = 1
        while depth:
            _, token = self._until(_COMMENT_MARK)
            if token is None:
                raise DumpError(f"{self.path}, line {self.line}: the file ends within a comment. The dump is cut off.")
            depth += 1 if token[0] == b"/*" else -1

    def _rest_of_literal(self, opening: re.Match[bytes]) -> bytes:
        """What follows the opening quote up to and with the closing one, cut if it is long."""
        if tag := opening[6]:
            closing = re.compile(re.escape(tag))
        elif opening[5]:
            closing = _DOUBLE_QUOTE
        else:
            closing = _QUOTE_OR_ESCAPE if opening[4] else _QUOTE
        text, line = b"", self.line
        while True:
            before, token = self._until(closing)
            if token is None:
                raise DumpError(f"{self.path}, line {line}: quoted text never ends. The dump is cut off.")
            text = (text + before + token[0])[:STATEMENT_LIMIT_BYTES]
            if not token[0].startswith(b"\\"):
                return text

    def _until(
        self, pattern: re.Pattern[bytes], *, keep_match: bool = False
    ) -> tuple[bytes, re.Match[bytes] | None]:
        """Moves past the next match, or up to it, or to the end. Returns what came before the match, cut if long."""
        passed = b""
        while True:
            match = pattern.search(self._buffer, self._at)
            # Close to the end of the buffer, a match might go on in the next chunk, or a longer one begin before it.
            if match and (self._exhausted or len(self._buffer) - match.end() > _LONGEST_TOKEN_BYTES):
                passed += self._consume(match.start())
                if not keep_match:
                    self._consume(match.end())
                return passed[:STATEMENT_LIMIT_BYTES], match
            if not match:
                surplus = len(self._buffer) if self._exhausted else len(self._buffer) - _LONGEST_TOKEN_BYTES
                passed = (passed + self._consume(max(self._at, surplus)))[:STATEMENT_LIMIT_BYTES]
            if self._exhausted:
                return passed, None
            self._fill()

    def _fill(self) -> None:
        chunk = self._stream.read(CHUNK_BYTES)
        self._exhausted = not chunk
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0

    def _consume(self, to: int) -> bytes:
        """Moves to a position in the buffer. Returns what was passed."""
        data = self._buffer[self._at : to]
        self._at = to
        self.line += data.count(b"\n")
        return data


def _last_name(qualified_name: str) -> str:
    return _unquoted(re.findall(_IDENTIFIER, qualified_name)[-1])


def _unquoted(identifier: str) -> str:
    """The name that an identifier stands for: as written in quotes, in lower case without."""
    if identifier.startswith('"'):
        return identifier[1:-1].replace('""', '"')
    return identifier.lower()
