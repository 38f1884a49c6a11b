"""SQL scripts: a cursor that walks one and hands out its statements and its data. Nothing in a script is run.

Quoted text, comments and whatever nobody asks for are passed over. PostgreSQL's scripts are read, and those of SQL
Server, in which names stand in brackets and a line GO ends a batch of statements.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lgs_assets.errors import DumpError
from lgs_assets.sources.encoding import Decoder

CHUNK_BYTES = 1 << 18
LINE_LIMIT_BYTES = 1 << 24
# A COPY of the 1,600 columns that PostgreSQL allows fits. Of longer statements the rest is passed over.
STATEMENT_LIMIT_BYTES = 1 << 18

# Possessive quantifiers (*+) keep the time linear, whatever the script holds.
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
_CLOSING = {b"[": b"]"}
_GO = rb"(?<=\n)GO[ \t]*+\d*+[ \t]*+\r?\n"
_LONGEST_GO_BYTES = 32

# In a script of SQL Server, a line of its own.
_TSQL = re.compile(rb"^(?:GO\b|USE\s*+\[|(?:INSERT(?:\s++INTO)?|CREATE\s++TABLE)\s++\[)", re.I | re.M)
# Statements of SQL Server that end with their line, for want of a semicolon.
_TSQL_NOTHING = re.compile(
    rb"(?:\s++|--[^\n]*+\n|(?:GO|USE|SET|PRINT|BEGIN\s++TRAN\w*+|COMMIT)\b[^\n;'/]*+[\n;])*+", re.I
)

# Names and the head of an INSERT, in bytes.
_NAME = rb'(?:"(?:[^"]|"")*+"|\[(?:[^\]]|\]\])*+\]|[A-Za-z_\x80-\xff][\w$\x80-\xff]*+)'
_INSERT = re.compile(
    rb"INSERT\s++(?:INTO\s++)?(%(name)b(?:\s*+\.\s*+%(name)b)*+)\s*+"
    rb"(?:\(\s*+(%(name)b(?:\s*+,\s*+%(name)b)*+)\s*+\)\s*+)?(?:OVERRIDING\s++\w++\s++VALUE\s++)?VALUES\s*+(?=\()"
    % {b"name": _NAME},
    re.I,
)
_INSERT_REACH_BYTES = 1 << 16
_ROW_REACH_BYTES = 1 << 14
_ESCAPED_TEXT = rb"'((?:[^'\\]++|''|\\.)*+)'"
_PLAIN_TEXT = rb"'((?:[^']++|'')*+)'"


class Row(NamedTuple):
    """A row of values of an INSERT."""

    line: int
    """Number of the line in which it begins."""
    text: bytes
    """The row as it is written, with its parentheses."""
    values: tuple[bytes | None, ...] | None
    """Three a value, of which one is not None: a text with backslash escapes, one without, or anything else.

    None as a whole if the row is not made of as many values as it should be.
    """


@functools.lru_cache(maxsize=8)
def _row(values: int, backslashes_escape: bool) -> re.Pattern[bytes]:
    """A row of so many values: texts, numbers, NULL, and casts of these. Three groups a value, as `Row` says."""
    texts = (
        b"[eEnN]?%b|((?!))" % _ESCAPED_TEXT if backslashes_escape else b"[eE]%b|[nN]?%b" % (_ESCAPED_TEXT, _PLAIN_TEXT)
    )
    value = rb"""
        (?: (?:TRY_)?CAST \s*+ \( \s*+ )?+ (?: (?:TIMESTAMP|DATE) \s++ (?=') )?+
        (?: %b | ([-+]?[\w.]++(?:(?<=[eE])[-+]\d++)?) )
        (?: \s*+ ::\s*+ [\w\ .]++ (?:\([\d,\ ]*+\))?+ )*+
        (?: \s++ AS \s++ [\w\ .\[\]]++ (?:\([\w,\ ]*+\))?+ \s*+ \) )?+ \s*+
    """
    inner = rb", \s*+".join([value % texts] * values)
    return re.compile(rb"\( \s*+ %b \)" % inner, re.VERBOSE | re.DOTALL | re.I)


@functools.lru_cache(maxsize=2)
def _any_row(backslashes_escape: bool) -> re.Pattern[bytes]:
    """Anything in parentheses: quotations hold what they like, and parentheses are nested three deep at most."""
    texts = _ESCAPED_TEXT if backslashes_escape else b"(?<=[eE])%b|%b" % (_ESCAPED_TEXT, _PLAIN_TEXT)
    pattern = b"(?:[^()']++|%b)*+" % texts
    for _ in range(2):
        pattern = rb"(?:[^()']++|%b|\(%b\))*+" % (texts, pattern)
    return re.compile(rb"\(%b\)" % pattern, re.DOTALL)


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
_TSQL_TOKEN = re.compile(
    rb"""
    ( (?: [^;'"\[/gG-]++
        | '[^']*+'
        | "[^"]*+"
        | -(?=[^-])
        | /(?=[^*])
        | (?!%(go)b)[gG](?=.{%(longest_go)d})
      )*+ )
    ( ; | %(go)b | -- | /\* | ' | " | \[ )? ((?!))?
    """
    % {b"go": _GO, b"longest_go": _LONGEST_GO_BYTES},
    re.VERBOSE | re.DOTALL | re.I,
)
# Put behind the end of the script, so that a pattern finds there what it finds elsewhere: more bytes.
_PADDING = b"\n" * _LONGEST_TAG_BYTES


class Script:
    """A cursor on a script that hands out statements, rows and COPY data, and counts lines."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self.line = 1
        self.statement_line = 1
        self.decoder = Decoder()
        """What turns its lines into UTF-8."""
        self.of_sql_server = False
        self.ended_batch = False
        """Whether the statement that was read last ends its batch."""
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self._exhausted = False
        self._fill()
        self.of_sql_server = _TSQL.search(self._buffer) is not None
        self._backslashes_escape = False
        self._nothing = _TSQL_NOTHING if self.of_sql_server else _NOTHING

    @property
    def where(self) -> str:
        """The place of the statement that was read last."""
        return f"{self.path}, line {self.statement_line}"

    def read_backslashes(self, *, as_escapes: bool) -> None:
        """Reads the quotations that follow as the setting standard_conforming_strings wants it."""
        self._backslashes_escape = as_escapes

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
            self.ended_batch = token[:1] in (b"G", b"g")
            if token in (b";", b"") or self.ended_batch:
                break
            if token in (b"--", b"/*"):
                self.skip_line() if token == b"--" else self._skip_comment()
                text += b" " if text else b""
            else:
                text += token + self._rest_of_quotation(token, escaping=escaping)
            del text[STATEMENT_LIMIT_BYTES:]
        return text[:STATEMENT_LIMIT_BYTES].decode(errors="replace") if token or text.strip() else None

    def insert(self) -> tuple[bytes, bytes | None, bytes] | None:
        """If an INSERT of rows comes next: moves to its first row.

        Returns the names of its table and of its columns as they are written, None for columns that it does not name,
        and all that stands before the rows.
        """
        self._skip_nothing()
        if match := self._match(_INSERT, reach=_INSERT_REACH_BYTES):
            self.statement_line = self.line
            return match[1], match[2], self._consume(match.end())
        return None

    def rows(self, head: bytes, values: int) -> Iterator[Row]:
        """The rows of the INSERT that begins with `head`, and of those with the same head that follow on it.

        Raises DumpError if a row never ends.
        """
        one = _row(values, self._backslashes_escape)
        whole = _any_row(self._backslashes_escape)
        go = rb"(?:GO\s++)?" if self.of_sql_server else b""
        again = re.compile(rb"\s*+(?:,\s*+(?=\()|;?\s*+%b%b)" % (go, re.escape(head)), re.I)
        while True:
            match = self._match(one, reach=_ROW_REACH_BYTES)
            if not match:
                if not (any_row := self._match(whole, reach=LINE_LIMIT_BYTES)):
                    raise DumpError(f"{self.path}, line {self.line}: this row of values never ends, or is no row.")
                match = one.match(self._buffer, self._at, any_row.end())
                end = any_row.end()
            else:
                end = match.end()
            line = self.line
            yield Row(line, self._consume(end), match.groups() if match else None)
            if not (next_row := self._match(again, reach=len(head) + _ROW_REACH_BYTES)):
                return
            self._consume(next_row.end())

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
            match = self._match(self._nothing, reach=_INSERT_REACH_BYTES)
            if match and match.end() > self._at:
                self._consume(match.end())
            elif self._buffer.startswith(b"\\", self._at):
                self.skip_line()
            else:
                return

    def _skip_comment(self) -> None:
        line, depth = self.line, 1
        while depth:
            _, mark = self._find(_COMMENT_MARK, longest=2)
            if mark is None:
                raise DumpError(f"{self.path}, line {line}: cut off: this comment never ends. Fetch the file again.")
            depth += 1 if mark == b"/*" else -1

    def _rest_of_quotation(self, opening: bytes, *, escaping: bool) -> bytes:
        """What follows the opening mark up to and with the closing one, cut if it is long."""
        closing = _QUOTE_OR_ESCAPE if escaping else re.compile(re.escape(_CLOSING.get(opening, opening)))
        line, text = self.line, bytearray()
        while True:
            before, mark = self._find(closing, longest=max(2, len(opening)))
            if mark is None:
                raise DumpError(f"{self.path}, line {line}: cut off: this quotation never ends. Fetch the file again.")
            text += before + mark
            del text[STATEMENT_LIMIT_BYTES:]
            if mark == _CLOSING.get(opening, opening):
                return bytes(text)

    def _next_token(self) -> tuple[bytes, bytes, bool]:
        """Moves past the next token. Returns what came before it, cut if long, the token, and if backslashes escape.

        The token is empty at the end of the script.
        """
        passed = b""
        token = _TOKEN_IF_BACKSLASHES_ESCAPE if self._backslashes_escape else _TOKEN
        if self.of_sql_server:
            token = _TSQL_TOKEN
        while match := token.match(self._buffer, self._at):  # it always matches, if only nothing
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

    def _match(self, pattern: re.Pattern[bytes], *, reach: int) -> re.Match[bytes] | None:
        """The pattern's match here. One that ends with the buffer may go on: `reach` is how far it may have to look."""
        while True:
            match = pattern.match(self._buffer, self._at)
            beyond_doubt = len(self._buffer) - self._at >= reach or (match and match.end() + reach <= len(self._buffer))
            if beyond_doubt or self._exhausted:
                return match
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
