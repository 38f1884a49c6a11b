"""SQL scripts: a cursor that walks through one and returns its statements and its data. Nothing in a script is run.

Quoted text, comments and anything nobody asks for are skipped. It reads scripts of PostgreSQL and SQLite; of MySQL and
MariaDB, where names are in backticks, backslashes escape, some comments are commands, and DELIMITER changes what ends a
statement; and of SQL Server, where names are in brackets and a line GO ends a batch of statements.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lgs_assets.errors import DumpError
from lgs_assets.sources.encoding import Decoder
from lgs_assets.sources.sql_names import IDENTIFIER_IN_BYTES, QUOTED, QUOTED_OR_IN_BRACKETS
from lgs_assets.sources.sqlite_text import evaluated

CHUNK_BYTES = 1 << 18
LINE_LIMIT_BYTES = 1 << 24
# A COPY of the 1,600 columns that PostgreSQL allows fits. The rest of a longer statement is skipped.
STATEMENT_LIMIT_BYTES = 1 << 18

# The most times a group may repeat: Python's `re` remembers each repetition until the whole has matched.
MOST_AT_ONCE = 100
# No pattern matches a text in two ways, which keeps the time linear whatever the script holds: a run of characters ends
# where the next thing begins, or with a lookahead that forbids more of them. Possessive quantifiers would do the same,
# but are broken in Python up to 3.11.4.
_NAME_REACH_BYTES = 256
_DELIMITER = re.compile(rb"DELIMITER[ \t]+(\S{1,16})", re.I)
# How a comment goes on that MySQL or MariaDB runs from some version on.
_COMMAND = re.compile(rb"M?!\d{0,6}[ \t\r\n]{0,8}(?=[A-Z])", re.I)
_COMMENT_OF_COMMAND = re.compile(rb"/\*" + _COMMAND.pattern, re.I)
_COMMAND_REACH_BYTES = 32
_LINE_BREAK = re.compile(rb"\n")
_BLANK = re.compile(rb"(?:\s+|--[^\n]*\n){0,%d}" % MOST_AT_ONCE)
_COMMENT_MARK = re.compile(rb"/\*|\*/")
_QUOTE_OR_ESCAPE = re.compile(rb"\\.|''|'", re.DOTALL)
_BRACKETS = re.compile(rb"\]\]|\]")
_END_OF_DATA = re.compile(rb"\n\\\.\r?\n")
_LONGEST_END_OF_DATA = b"\n\\.\r\n"
_IN_NAME = rb"[\w$\x80-\xff]"
_TAG = rb"\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]{0,62})?\$"
_LONGEST_TAG_BYTES = len("$$") + 63
_LOOKBEHIND_BYTES = 2

# How a statement begins that brings rows; a dump's tool may be told to have rows that are there kept or replaced.
INSERT = (
    r"(?:INSERT\s+(?:(?:DELAYED|IGNORE|OR\s+(?:REPLACE|IGNORE))\s+){1,2}INTO\s+"
    r"|INSERT\s+(?:INTO\s+)?|REPLACE\s+(?:DELAYED\s+)?INTO\s+)"
)

# Statements that only SQL Server, only MySQL, or only PostgreSQL or SQLite has: the first match tells whose it is.
_DIALECT = re.compile(
    rb"^(?:(GO[ \t]*\r?$|USE\s*\[|(?:INSERT(?:\s+INTO)?|CREATE\s+TABLE)\s+\[|SET\s+(?:ANSI_|QUOTED_|IDENTITY_))"
    rb"|(/\*!\d{5}|-- (?:MySQL|MariaDB) dump|DELIMITER\s|(?:%b|USE\s*|CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?)`)"
    rb"|SET\s+(?:client_encoding|standard_conforming_strings)\b|COPY\s|PRAGMA\s|\\)" % INSERT.encode(),
    re.I | re.M,
)
_DIALECT_REACH_BYTES = 1 << 16
_GO = rb"(?<![^\s])GO[ \t]*(?:\d+[ \t]*)?(?=\r?\n|--)"
_LONGEST_GO_BYTES = 32
# SQL Server needs no semicolons. These words begin a statement, or occur where beginning one does no harm.
_BEGINNING = re.compile(rb"(?<![\w@#$])(?:INSERT|CREATE|USE)(?![\w@#$])", re.I)
_DATA_WORDS = (b"INSERT", b"REPLACE", b"COPY")

# The head of an INSERT, in bytes.
_INSERT = re.compile(
    rb"%(insert)b(%(name)b(?:\s*\.\s*%(name)b)*)\s*"
    rb"(?:\(\s*(%(name)b(?:\s*,\s*%(name)b)*)\s*\)\s*)?(?:OVERRIDING\s+\w+\s+VALUE\s+)?VALUES\s*(?=\()"
    % {b"insert": INSERT.encode(), b"name": IDENTIFIER_IN_BYTES},
    re.I,
)
_INSERT_REACH_BYTES = 1 << 16
_AFTER_ROW_OF_SQL_SERVER = re.compile(rb",|;|(?!(?:UNION|EXCEPT|INTERSECT)\b)[A-Z]\w+[\s;(]|\Z", re.I)
# Elsewhere, what looks like the end of a row with a stray quote may be part of a text.
_END_AFTER_ODD_ROW = re.compile(rb";[ \t\r]*(?:\n|--|/\*|%b|COMMIT\b)" % _INSERT.pattern, re.I)
_ROW_REACH_BYTES = 1 << 14
_MARK_BEFORE_END = re.compile(rb"[)\n]")
_ESCAPED_TEXT = rb"'([^'\\]*(?:(?:''|\\.)[^'\\]*)*)'"
_PLAIN_TEXT = rb"'([^']*(?:(?='(?!'))|(?:''[^']*)+))'"
_NUMBER = rb"NULL\b|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:E[-+]?\d+)?(?![\w.])"
# How SQL Server's older tools write a date: as its bytes.
_BINARY_DATE = rb"CAST \s* \( \s* 0x[\dA-F]+ \s+ AS \s+ \[?(?:SMALLDATETIME|DATETIME2?|DATE)\]? (?:\s*\(\d\))? \s* \)"
# In a column that is not kept: true, default, 0x1F, B'101'.
_ANYTHING = rb"(\bB'\d*'|[-+\w.]+(?![-+\w.]))"


# The texts of a statement, which may be truncated, and names in quotation marks.
_DOLLAR_QUOTES = r"(?<![\w$])(?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?:(?P=tag)|\Z)"
_TEXT_WITH_ESCAPES = r"'[^'\\]*(?:\\.[^'\\]*)*(?:'|\Z)"
_TEXT = r"'[^']*(?:'|\Z)"
_TEXTS_OF_SQL_SERVER = re.compile(rf"(?P<name>{QUOTED_OR_IN_BRACKETS.pattern})|{_TEXT}")
_TEXTS_OF_MYSQL = re.compile(rf"(?P<name>{QUOTED.pattern})|{_TEXT_WITH_ESCAPES}", re.S)
_TEXTS = re.compile(
    rf"(?P<name>{QUOTED.pattern})|(?<![\w$])E{_TEXT_WITH_ESCAPES}|{_TEXT}|{_DOLLAR_QUOTES}", re.S | re.I
)


class Insert(NamedTuple):
    """The beginning of an INSERT of rows, with names as they are written."""

    table: str
    columns: str | None
    """Their names, None if it names none."""
    head: bytes
    """Everything before the rows."""


class Row(NamedTuple):
    """A row of values of an INSERT."""

    line: int
    """Number of the line in which it begins."""
    text: bytes
    """The row as it is written, with its parentheses."""
    values: tuple[bytes | None, ...] | None
    """Three for each value, of which one is not None: a text with backslash escapes, one without, or a number, a date
    in bytes or NULL.

    None instead of a tuple if the row does not have the expected number of values.
    """


class _Patterns(NamedTuple):
    """How the rows of one kind of INSERT are recognised."""

    row: re.Pattern[bytes]
    """Group 1: a row with the expected number of values, kept or not, each a text, a number, NULL, or a cast of these.

    Then three groups for each value, as in `Row`. The match extends to the next row if one follows, even one under the
    same head again.
    """
    another: re.Pattern[bytes]
    """The last byte before what reads as another whole row.

    Within a text, quotes are doubled or escaped. So a row there with quotes of its own is not part of a text, however
    the quotes before it pair off: one of them is stray.
    """
    end: re.Pattern[bytes]
    """The last byte before that, or before what ends a row at the end of a line, as it may in a text."""


@functools.lru_cache(maxsize=8)
def _patterns(head: bytes, kept: tuple[bool, ...], *, of_sql_server: bool, backslashes_escape: bool) -> _Patterns:
    texts = b"[EN]?%b|((?!))" % _ESCAPED_TEXT if backslashes_escape else b"E%b|N?%b" % (_ESCAPED_TEXT, _PLAIN_TEXT)
    # Two branches, one of which matches, are quicker than an optional group, as most are missing in most rows.
    value = rb"""
        (?: (?![CTD]) | (?=[CTD]) (?: (?:TRY_)?CAST \s* \( \s* )? (?: (?:TIMESTAMP|DATE) \s+ (?=') )? )
        (?: %b | %b ) \s*
        (?: (?![:A]) | (?=[:A])
            (?: :: \s* (?!\s) [\w\ .]+ (?![\w\ .]) (?: \([\d,\ ]*\) [\w\ ]* (?![\w\ ]) )? \s* )*
            (?: AS \s+ (?!\s) [\w\ .\[\]]+ (?![\w\ .\[\]]) (?: \([\w,\ ]*\) )? \s* \) \s* )? )
    """
    number = b"(%b | %b)" % (_NUMBER, _BINARY_DATE) if of_sql_server else b"(%b)" % _NUMBER
    row = rb", \s*".join(value % (texts, number if is_kept else _ANYTHING) for is_kept in kept)
    go = rb"(?:%b\s+)?" % _GO if of_sql_server else b""
    again = rb"\s* (?!\s) (?: , | ;? \s* %b %b ) \s* (?=\()" % (go, re.escape(head.rstrip()))
    next_row = rb"(?: %b )? \( \s* %b \) \s* (?: [,;\n] | \Z )" % (_INSERT.pattern, row)
    another = rb"\) (?= \s* (?: [,;] \s* )? %b ) | \n (?= %b )" % (next_row, next_row)
    ends = rb", [ \t\r]* \n \s* \( | ; [ \t\r]* \n | (?: ; | \n ) \s* %b | \n %b" % (_INSERT.pattern, _GO)
    return _Patterns(
        *(
            re.compile(pattern, re.VERBOSE | re.DOTALL | re.I)
            for pattern in (
                rb"(\( \s* %b \)) (?:%b)?" % (row, again),
                another,
                rb"%b | \) (?= \s* (?: %b )) | \n (?= %b )" % (another, ends, _INSERT.pattern),
            )
        )
    )


@functools.cache
def _after_row(delimiter: bytes) -> re.Pattern[bytes]:
    """A comma before the next row, or what may follow the last one. If nothing does, the file may be cut off."""
    return re.compile(rb",|%b|(?:ON|RETURNING)\b" % re.escape(delimiter), re.I)


@functools.lru_cache(maxsize=32)
def _token(
    *, of_sql_server: bool, of_mysql: bool, backslashes_escape: bool, delimiter: bytes, in_row: bool
) -> re.Pattern[bytes]:
    """Group 1: what neither ends a statement nor opens anything, whole quotations included. Group 2: what does.

    Group 2 is empty before a word that begins a statement. It is missing where only the next chunk can tell, and
    where there is more to skip.
    Group 3 is a quote after which a backslash escapes.
    """
    end = rb"(?-i:%b)" % re.escape(delimiter)
    tokens = [end, rb"--", rb"/\*", rb'"']
    passed = [rb'"[^"]*"', rb"-(?=[^-])", rb"/(?=[^*])"]
    special = re.escape(delimiter[:1]) + b"'\"/"
    escaping_quote = rb"(?!)"
    if of_sql_server:
        words = rb"%b|(?=%b)" % (_GO, _BEGINNING.pattern)
        tokens += [rb"\[", words]
        passed += [rb"(?!%b)[GICU](?=.{%d})" % (words, _LONGEST_GO_BYTES)]
        special += rb"\[GICU"
    else:
        escaping_quote = rb"'" if backslashes_escape else rb"(?<=(?<!%b)E)'" % _IN_NAME
        tokens += [rb"(%b)" % escaping_quote]
        if of_mysql:
            tokens += [rb"#", rb"`"]
            passed += [rb"`[^`]*`"]
            special += b"#`"
        else:
            tokens += [_TAG]
            passed += [rb"(?<=%b)\$" % _IN_NAME, rb"(?!%b)\$(?=.{%d})" % (_TAG, _LONGEST_TAG_BYTES)]
            special += b"$"
    tokens += [rb"'"]
    passed += [rb"(?!%b)'[^']*'" % escaping_quote]
    if in_row:
        tokens += [rb"[()]"]
        special += b"()"
    if delimiter != b";":
        passed += [] if delimiter[:1] in b"-/\"'#`" else [re.escape(delimiter[:1])]
        passed = [rb"(?!%b)(?=.{%d})(?:%b)" % (end, len(delimiter), b"|".join(passed))]
    pattern = rb"((?:[^%b-]+|%b){0,%d})(%b)?" % (special, b"|".join(passed), MOST_AT_ONCE, b"|".join(tokens))
    return re.compile(pattern + (rb"((?!))?" if of_sql_server else b""), re.DOTALL | re.I)


# Appended to the script, so that a pattern finds at its end what it finds elsewhere: more bytes.
_PADDING = b"\n".ljust(_LONGEST_TAG_BYTES)


class Script:
    """A cursor on a script that returns statements, rows and COPY data, and counts lines."""

    def __init__(self, path: Path | str, stream: BinaryIO) -> None:
        self.path = path
        self.line = 1
        self.statement_line = 1
        self.decoder = Decoder()
        """Turns its lines into UTF-8."""
        self.ended_batch = False
        """Whether the statement read last ends its batch, as a line GO does."""
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self._exhausted = False
        while len(self._buffer) < _DIALECT_REACH_BYTES and not self._exhausted:
            self._fill()
        dialect = _DIALECT.search(self._buffer, 0, _DIALECT_REACH_BYTES)
        self.of_sql_server = dialect is not None and dialect[1] is not None
        self.of_mysql = dialect is not None and dialect[2] is not None
        self.backslashes_escape = self.of_mysql
        """Whether they do in every quotation. If not, only in those of PostgreSQL that begin with an E."""
        self.delimiter = b";"
        """What ends a statement."""

    @property
    def where(self) -> str:
        """The place of the statement read last."""
        return f"{self.path}, line {self.statement_line}"

    def without_texts(self, statement: str) -> str:
        """A statement without what stands in quotation marks, apart from names."""
        texts = _TEXTS_OF_SQL_SERVER if self.of_sql_server else _TEXTS_OF_MYSQL if self.backslashes_escape else _TEXTS
        return texts.sub(lambda found: found["name"] or "", statement)

    def statement(self) -> str | None:
        """The next statement without its semicolon and comments, truncated if it is long; None at the end.

        So is a command to psql, which the end of its line ends. Raises DumpError if the script ends within a statement
        that brings data.
        """
        self._skip_blank()
        self.statement_line = self.line
        if not self.of_sql_server and self._buffer[self._at : self._at + 1] == b"\\":
            return self._find(_LINE_BREAK)[0].decode(errors="replace")
        text = bytearray()
        if self.of_sql_server and self._match(_BEGINNING, reach=_LONGEST_GO_BYTES):
            text += self._consume(self._at + 1)  # such a word ends the statement before, but not its own
        while not self._ends_statement(token := self._pass(text)):
            pass
        self.ended_batch = self.of_sql_server and bool(token) and token != b";"
        if token is None:
            if not (words := text.upper().split(None, 1)):
                return None
            if any(word.startswith(words[0]) for word in _DATA_WORDS):
                raise DumpError(f"{self.where}: cut off: the file ends within this statement. Fetch the file again.")
        return text.decode(errors="replace")

    def insert(self) -> Insert | None:
        """If an INSERT of rows comes next, moves to its first row and returns its beginning."""
        self._skip_blank()
        if match := self._match(_INSERT, reach=_INSERT_REACH_BYTES):
            self.statement_line = self.line
            table, columns = match[1].decode(errors="replace"), match[2]
            return Insert(table, columns.decode(errors="replace") if columns else None, self._consume(match.end()))
        return None

    def rows(self, head: bytes, kept: tuple[bool, ...]) -> Iterator[Row]:
        """The rows of the INSERT that begins with `head`, and usually of those with the same head that follow it.

        `kept` says for each column whether its values are wanted. Raises DumpError if a row never ends.
        """
        dialect = {"of_sql_server": self.of_sql_server, "backslashes_escape": self.backslashes_escape}
        patterns = _patterns(head, kept, **dialect)
        end = _AFTER_ROW_OF_SQL_SERVER if self.of_sql_server else _after_row(self.delimiter)
        while True:
            line = self.line
            match = self._match(patterns.row, reach=_ROW_REACH_BYTES)
            if match and not (b"\n" in match[1] and patterns.another.search(match[1])):
                self._consume(match.end())
                yield Row(line, match[1], match.groups()[1:])
                if match.end() > match.end(1):
                    continue
            else:
                text, match = self._odd_row(patterns)
                if not text.startswith(b"("):
                    raise DumpError(f"{self.path}, line {line}: expected the next row, found no parenthesis.")
                yield Row(line, text, match.groups()[1:] if match else None)
            self._skip_blank(within_statement=True)
            if not (after := self._match(end, reach=_ROW_REACH_BYTES)):
                raise DumpError(f"{self.path}, line {self.line}: expected a semicolon, or a comma and the next row.")
            if after[0] == b";" and not match and not self._match(_END_AFTER_ODD_ROW, reach=_ROW_REACH_BYTES):
                raise DumpError(f"{self.path}, line {self.line}: expected the end of a line after an odd row.")
            if after[0] != b",":
                return
            self._consume(after.end())
            self._skip_blank(within_statement=True)

    def copy_data(self, *, line_limit: int | None = None) -> Iterator[bytes]:
        """The lines up to the line `\\.`, in chunks cut anywhere. The cursor must be at the start of the first line.

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

    def _skip_blank(self, *, within_statement: bool = False) -> None:
        """Moves past blanks and comments.

        Before a statement, also past MySQL's DELIMITER, but not past a comment that MySQL runs as a statement.
        """
        while True:
            blank = self._match(_BLANK, reach=len(b"--"))
            if blank and blank.end() > self._at:
                self._consume(blank.end())
                continue
            opening = self._buffer[self._at : self._at + len(b"--")]
            if opening == b"/*":
                may_be_run = self.of_mysql and not within_statement
                if may_be_run and self._match(_COMMENT_OF_COMMAND, reach=_COMMAND_REACH_BYTES):
                    return
                self._consume(self._at + len(opening))
                self._skip_comment()
            elif opening == b"--" or (self.of_mysql and opening[:1] == b"#"):
                self.skip_line()
            elif (
                within_statement
                or self.of_sql_server
                or not (command := self._match(_DELIMITER, reach=_NAME_REACH_BYTES))
            ):
                return
            else:
                self.of_mysql = self.backslashes_escape = True
                self.delimiter = command[1]
                self.skip_line()

    def _odd_row(self, patterns: _Patterns) -> tuple[bytes, re.Match[bytes] | None]:
        """Moves past a row that does not match at once. Returns its text, and its match if only comments or SQLite's
        functions prevented it.

        A stray quote turns texts inside out: the row extends to where its quotes and parentheses pair off, but no
        further than the first sign of its end.
        """
        while len(self._buffer) - self._at < STATEMENT_LIMIT_BYTES and not self._exhausted:
            self._fill()
        start, line, exhausted = self._at, self.line, self._exhausted
        self._exhausted = True  # so that the buffer stays, and allows going back
        try:
            text = self._row()
            match = patterns.row.fullmatch(text) or patterns.row.fullmatch(evaluated(text))
            end = self._at
        except DumpError:
            text, match, end = b"", None, len(self._buffer)
        self._exhausted = exhausted
        sign = patterns.another if match else patterns.end
        for mark in _MARK_BEFORE_END.finditer(self._buffer, start, end - 1):
            if sign.match(self._buffer, mark.start()):
                self._at, self.line = start, line
                return self._consume(mark.end()), None
        if not text:
            self._at, self.line = start, line
            text = self._row()
        return text, match

    def _row(self) -> bytes:
        """Moves past the next row, whatever it holds. Returns it without comments, truncated if long."""
        line, text, depth = self.line, bytearray(), 0
        while not self._ends_statement(token := self._pass(text, in_row=True)):
            depth += (token == b"(") - (token == b")")
            if token == b")" and depth <= 0:
                return bytes(text)
        raise DumpError(f"{self.path}, line {line}: this row of values never ends, or is not a row.")

    def _pass(self, text: bytearray, *, in_row: bool = False) -> bytes | None:
        """Moves past the next token and all that it opens. Adds what it passes to `text`, truncated if long.

        Returns the token: None at the end of the script, empty before a word that begins a statement.
        """
        before, token, escaping = self._next_token(in_row=in_row)
        text += before
        if self._ends_statement(token):
            pass
        elif token in (b"--", b"#"):
            self.skip_line()
            text += b" "
        elif token == b"/*":
            command = self.of_mysql and self._match(_COMMAND, reach=_COMMAND_REACH_BYTES)
            if command:
                self._consume(command.end())
            comment = self._skip_comment()
            text += comment if command and not text else b" " + comment if command else b" "
        elif token in (b"(", b")"):
            text += token
        elif token:
            text += token + self._rest_of_quotation(token, escaping=escaping)
        del text[STATEMENT_LIMIT_BYTES:]
        return token

    def _ends_statement(self, token: bytes | None) -> bool:
        return not token or token == self.delimiter or (self.of_sql_server and token[:1] in (b"G", b"g"))

    def _skip_comment(self) -> bytes:
        """Moves past the end of a comment. Returns its text, truncated if long."""
        line, depth, text = self.line, 1, bytearray()
        while True:
            before, mark = self._find(_COMMENT_MARK, longest=2)
            if mark is None:
                raise DumpError(f"{self.path}, line {line}: cut off: this comment never ends. Fetch the file again.")
            text += before
            depth += 1 if mark == b"/*" else -1
            if not depth:
                return bytes(text)
            text += mark
            del text[STATEMENT_LIMIT_BYTES:]

    def _rest_of_quotation(self, opening: bytes, *, escaping: bool) -> bytes:
        """What follows the opening mark, up to and including the closing one, truncated if long."""
        closing = b"]" if opening == b"[" else opening
        marks = _BRACKETS if opening == b"[" else re.compile(re.escape(closing))
        line, text = self.line, bytearray()
        while True:
            before, mark = self._find(_QUOTE_OR_ESCAPE if escaping else marks, longest=max(2, len(opening)))
            if mark is None:
                raise DumpError(f"{self.path}, line {line}: cut off: this quotation never ends. Fetch the file again.")
            text += before + mark
            del text[STATEMENT_LIMIT_BYTES:]
            if mark == closing:
                return bytes(text)

    def _next_token(self, *, in_row: bool) -> tuple[bytes, bytes | None, bool]:
        """Moves past the next token. Returns the text before it, cut if long, the token, and if backslashes escape."""
        pattern = _token(
            of_sql_server=self.of_sql_server,
            of_mysql=self.of_mysql,
            backslashes_escape=self.backslashes_escape,
            delimiter=self.delimiter,
            in_row=in_row,
        )
        passed = b""
        while match := pattern.match(self._buffer, self._at):  # it always matches, if only an empty text
            passed = (passed + match[1])[:STATEMENT_LIMIT_BYTES]
            if match[2] is not None:
                self._consume(match.end())
                return passed, match[2], match[3] is not None
            if self._consume(match.end(1)):
                continue
            if self._exhausted:
                break
            self._fill()
        return passed, None, False

    def _find(self, mark: re.Pattern[bytes], *, longest: int = 1) -> tuple[bytes, bytes | None]:
        """Moves past the next mark, of up to `longest` bytes. Returns the text before it, cut if long, and the mark.

        The mark is None at the end of the script.
        """
        passed = b""
        while True:
            match = mark.search(self._buffer, self._at)
            if match and match.end() < len(self._buffer):  # otherwise it may go on in the next chunk
                passed += self._buffer[self._at : match.start()]
                self._consume(match.end())
                return passed[:STATEMENT_LIMIT_BYTES], match[0]
            if self._exhausted:
                return passed, None
            passed = (passed + self._consume(len(self._buffer) - longest))[:STATEMENT_LIMIT_BYTES]
            self._fill()

    def _match(self, pattern: re.Pattern[bytes], *, reach: int) -> re.Match[bytes] | None:
        """The pattern's match here. One that ends with the buffer may go on: `reach` is how far it may need to look."""
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
        """Moves to a position in the buffer, never back. Returns the bytes passed."""
        start, self._at = self._at, max(to, self._at)
        data = self._buffer[start : self._at]
        self.line += data.count(b"\n")
        return data
