"""SQL dumps: the lines of the table `retail` in a script, from its COPY blocks and its INSERTs of rows.

No statement has any effect. Those are taken into account without which the script cannot be read: the settings of its
session, the CREATE TABLE that gives the order of the columns, and the definitions of routines, whose statements are not
the script's. Statements that would bring other rows, or change or undo those before, cannot be: they refuse the dump.
"""

import re
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lgs_assets.errors import DumpError
from lgs_assets.sources.columns import canonical, described, shown
from lgs_assets.sources.copy_text import NULL
from lgs_assets.sources.lines import LINE_NUMBER, Lines, Reject, legible
from lgs_assets.sources.sql_changes import Transactions, changed_tables, filled_tables, places_taken_away
from lgs_assets.sources.sql_names import IDENTIFIER, NAME, QUOTED, unquoted
from lgs_assets.sources.sql_script import INSERT, LINE_LIMIT_BYTES, STATEMENT_LIMIT_BYTES, Row, Script
from lgs_assets.sources.sql_session import Place, Session

TABLE = "retail"
BATCH_ROWS = 4096
SHOWN_TABLES = 20
SHOWN_CHARACTERS = 63  # the longest name that PostgreSQL allows
SHOWN_NAME = 4 * SHOWN_CHARACTERS  # with a schema, and as bytes

_COLUMNS = rf"\(\s*({IDENTIFIER}(?:\s*,\s*{IDENTIFIER})*)\s*\)\s*"
_COPY = re.compile(rf"COPY\s+({NAME})\s*(?:{_COLUMNS})?FROM\s+stdin\b(.*)", re.I | re.S)
# A COPY that is followed by data or, being long, may be.
_ANY_COPY_WITH_DATA = re.compile(rf"COPY\b(?:.*\bFROM\s+stdin\b|.{{{STATEMENT_LIMIT_BYTES // 4}}})", re.I | re.S)
# What brings statements from another file: of psql and MySQL, and of SQL Server.
_FROM_ANOTHER_FILE = re.compile(r"\\(?:i|ir|include|include_relative|\.)\s+\S|SOURCE\s+\S|:r\s+\S", re.I)
# What runs a text at once, unless that only creates what runs later, as SQL Server's tools write it.
_RUNS_TEXT = re.compile(r"\b(?:EXEC(?:UTE)?\s*\(|sp_executesql\b)|\A\s*(?:DO|EXECUTE\s+IMMEDIATE|PREPARE)\b", re.I)
_CREATES_ROUTINE = re.compile(
    r"\b(?:CREATE|ALTER)\s+(?:OR\s+ALTER\s+)?(?:FUNCTION|PROC|PROCEDURE|TRIGGER|VIEW)\b", re.I
)
_MARKS_OF_TEXT = re.compile(r"['$]")
# SQL Server renames by a procedure, with the names in texts: a table of ours, or one to ours.
_RENAMED = re.compile(rf"\bsp_rename\b.{{1,300}}?\b{TABLE}\b", re.I | re.S)
_RENAMED_TO_OURS = re.compile(rf"\bsp_rename\b.{{1,300}}?,\s*(?:@\w+\s*=\s*)?N?'\[?{TABLE}\]?'", re.I | re.S)
# A command to psql, apart from the one that may bring rows.
_COMMAND = re.compile(r"\\(?!copy\b)", re.I)
# How no statement begins: damage, such as INSERT with another letter in it, or the rest of a row. If it were skipped,
# lines would be lost unnoticed.
_DAMAGED = re.compile(
    r"\s*(?:[^\w\s:(\\]|\d|\(\s*(?!\s|[^\W\d]))"
    r"|INSERT\b(?!\s*(?:[\w\"`\[(]|,\s*[^\W\d]|$))",  # a comma follows INSERT in a GRANT
    re.I,
)
# Statements that may contain others that bring data, in quotes or not, without bringing any themselves.
_DEFINITION = re.compile(r"\s*(?:\\|(?:ALTER|COMMENT|CREATE|DO|EXEC|EXECUTE|MERGE|PREPARE|SELECT)\b)", re.I)
# What may follow the rows of another table.
_IN_PARENTHESES = re.compile(r"\([^()]*(?:\([^()]*\)[^()]*)*\)")
_WORD = re.compile(r"[^\W\d]")
# Anything else that names the table and brings data is damaged, or has a stray quote that swallows the table's lines.
_TABLE = re.compile(rf"\b{TABLE}\b", re.I)
_DATA = re.compile(r"\bVALUES\s*\(|\bFROM\s+stdin\b", re.I)
_DATA_IN_OTHERS = re.compile(rf"\n[ \t]*(?:{INSERT}|COPY\s+)(?:{IDENTIFIER}\s*\.\s*)*[\"`\[]?{TABLE}\b", re.I)
_CREATE_TABLE = re.compile(
    rf"CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?({NAME})\s*\((.*)\)", re.I | re.S
)
# What has statements of its own, in a body or in parentheses: they run later, if ever.
_CREATE_ROUTINE = re.compile(
    r"\s*(?:CREATE|ALTER)\s+(?:OR\s+\w+\s+)?(?:DEFINER\s*=.{1,300}?\s)?"
    r"(?:(?:AGGREGATE|CONSTRAINT|TEMP|TEMPORARY|(?:NON)?EDITIONABLE)\s+)?"
    r"(?:FUNCTION|PROC|PROCEDURE|TRIGGER|RULE|PACKAGE|EVENT(?!\s+(?:SESSION|NOTIFICATION)\b))\b",
    re.I | re.S,
)
# Only a body's own END begins a statement without saying of what it is the end. Elsewhere than in MySQL, names may be
# called BEGIN, and only these words begin a body: SQLite's, and that of a script of MySQL which shows no other sign.
_BEGIN_OF_MYSQL = re.compile(r"(?<![\w.@$(,])(?<![(,]\s)BEGIN\b(?!\s+END\b)", re.I)
_BEGIN = re.compile(
    r"(?<![\w.@$(,])BEGIN\s+(?:ATOMIC|CALL|CASE|DECLARE|DELETE|IF|INSERT|REPLACE|SELECT|SET|UPDATE|WITH)\b", re.I
)
_END = re.compile(r"(?:^|;)\s*END\b(?!\s+(?:IF|CASE|LOOP|WHILE|REPEAT|FOR)\b)", re.I)
_PIECE = re.compile(rf"({IDENTIFIER})|'[^']*(?:''[^']*)*'(?!')|(\()|(\))|(,)|[^\s(),'\"`\[]|\s+", re.S)
_CONSTRAINTS = ("constraint", "primary", "unique", "check", "foreign", "exclude", "like")
_CONSTRAINTS_OF_MYSQL = (*_CONSTRAINTS, "key", "index", "fulltext", "spatial")

# What is special in a quotation, and in one with backslash escapes. COPY has the same escapes, with few exceptions.
_SPECIAL = re.compile(rb"\\|''|[\t\n\r]")
_ESCAPE = re.compile(
    rb"\\(?:u%(hex)b{4}|U00(?:10|0%(hex)b)%(hex)b{4}|x%(hex)b{1,2}|[0-7]{1,3}|.)|''|[\t\n\r]"
    % {b"hex": rb"[\dA-Fa-f]"},
    re.S,
)
_ESCAPE_OF_COPY = re.compile(rb"\\(?:[bfnrt\\]|x[\dA-Fa-f]+|[0-7]+)")
_BINARY_DATE = re.compile(rb"CAST\s*\(\s*0x([\dA-F]+)\s+AS\s+\[?(\w+)", re.I)
_COPY_ESCAPES = {b"\\": rb"\\", b"''": b"'", b"\t": rb"\t", b"\n": rb"\n", b"\r": rb"\r"}


def parse(path: Path | str, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines | Reject]:
    """The lines of the table. Raises DumpError if there are none, or if they cannot be read."""
    script = Script(path, stream)
    tables = _Tables(script, facts)
    last = 0
    while True:
        insert = script.insert()
        if insert and (layout := tables.layout(insert.table, insert.columns)):
            facts["format"] = "T-SQL script of INSERTs" if script.of_sql_server else "SQL dump of INSERTs"
            last = yield from _inserted(script, insert.head, layout, after=last)
        elif (statement := script.statement()) is None:
            break
        elif insert:
            _require_no_rows_in_texts(script, statement)
            # In SQL Server, other statements may follow in the same text.
            if script.of_sql_server and _WORD.search(_IN_PARENTHESES.sub("", script.without_texts(statement))):
                head = insert.head.decode(errors="replace")
                tables.take(head + statement, last, shown_as=head)
        elif copy := _COPY.match(statement):
            if layout := _layout_of_copy(script, tables, copy):
                facts["format"] = "SQL dump of COPY blocks"
                last = yield from _copied(script, layout, after=last)
        elif _CREATE_ROUTINE.match(statement):
            _skip_body(script, statement)
        else:
            _require_readable(script, statement)
            tables.take(statement, last)
        if script.ended_batch:
            tables.end_batch()
    tables.require(last)
    facts.setdefault("encoding", script.decoder.name)


class _Layout(NamedTuple):
    """How rows of the table are written."""

    columns: tuple[str | None, ...]
    """The canonical column of each value, None if it is left out."""
    zone: bytes = b""
    """The time zone of the dates, to be written behind them; empty if they are local."""


class _Tables:
    """Which tables the script has, the columns of ours, and what statements do to its rows.

    Rows are counted by the number of the last one.
    """

    def __init__(self, script: Script, facts: dict[str, str]) -> None:
        self._script = script
        self._session = Session(script)
        self._transactions = Transactions(of_sql_server=script.of_sql_server)
        self._facts = facts
        self._found: Place | None = None
        self._others: set[str] = set()
        self._created: dict[Place, dict[str, str]] = {}
        self._began = ""
        """Where the transaction that is open was begun."""

    def take(self, statement: str, rows: int, *, shown_as: str | None = None) -> None:
        """Takes a statement into account, or several of SQL Server. `shown_as` is how an error shows them.

        Raises DumpError if that brings other rows of our table, or changes or undoes those before.
        """
        if (create := _CREATE_TABLE.match(statement)) and _is_ours(place := self._session.place(create[1])):
            self._created[place] = dict(_listed_columns(create[2]))
        self._session.take(statement)
        if _COMMAND.match(statement):
            return
        bare = self._script.without_texts(statement)
        was_open = self._transactions.is_open
        undone = self._transactions.undo(bare, rows)
        if not was_open and self._transactions.is_open:
            self._began = self._script.where
        if _RUNS_TEXT.search(bare) and not _CREATES_ROUTINE.search(statement):
            bare = _MARKS_OF_TEXT.sub(" ", statement)
        begins = (shown_as or statement).strip()
        if filling := self._filling(bare) or (_RENAMED_TO_OURS.search(statement) and begins):
            raise DumpError(
                f"{self._script.where}: expected rows of VALUES or a COPY block, found {_part(filling, bare, begins)}"
            )
        if changing := undone or self._changing(bare) or (self._found and _RENAMED.search(statement) and begins):
            raise DumpError(
                f"{self._script.where}: expected nothing that changes or undoes the rows before it, found "
                f"{_part(changing, bare, begins)}. No statement is run: dump the table as it is after them all."
            )

    def end_batch(self) -> None:
        """Takes into account that a batch of SQL Server ends."""
        self._transactions.end_batch()

    def layout(self, name: str, listed: str | None) -> _Layout | None:
        """The layout of a table's data, None if the table is not ours.

        Raises DumpError if there are two tables of that name, or if its columns are not known.
        """
        place = self._session.place(name)
        if not _is_ours(place):
            if len(self._others) < SHOWN_TABLES:
                self._others.add(shown(place.table[:SHOWN_CHARACTERS]))
            return None
        if self._found and self._found != place:
            both = " and ".join(found.shown[:SHOWN_NAME] for found in (place, self._found))
            is_alike = place.shown.lower() == self._found.shown.lower()
            alike = " Their names differ in case alone, which tells tables of MySQL apart on some systems."
            raise DumpError(f"{self._script.where}: expected one table, found {both}.{alike if is_alike else ''}")
        self._found = place
        created = self._created_columns(place)
        header = unquoted(listed) if listed else tuple(created)
        if not header:
            raise DumpError(
                f"{self._script.where}: the columns are named neither here nor in an earlier CREATE TABLE, "
                "so their order is not known."
            )
        columns = canonical(header, where=self._script.where)
        self._facts |= described(header, columns)
        types = {name.lower(): type_.lower() for name, type_ in created.items()}
        # MySQL converts this type, and no other, to the time zone of the session.
        is_converted = types.get(header[columns.index("invoice_date")].lower()) == "timestamp"
        zone = self._session.time_zone if is_converted else ""
        if zone:
            self._facts["times"] = f"{zone}, converted to London time"
        return _Layout(columns, zone.encode())

    def require(self, rows: int) -> None:
        """Raises DumpError if the script has no data of the table, or ends before its rows are kept."""
        others = ", ".join(sorted(self._others))
        if not self._found:
            raise DumpError(
                f"{self._script.path}: no data of a table {TABLE}. Tables with data in the file: {others or 'none'}."
            )
        if self._transactions.are_open(rows):
            raise DumpError(
                f"{self._began}: expected a COMMIT of the rows after this, found the end of the file: it is cut off, "
                "or they were never committed. Fetch the file again."
            )
        if others:
            self._facts["tables left out"] = others

    def _created_columns(self, place: Place) -> dict[str, str]:
        """The columns of a table, each with its type, as its CREATE TABLE lists them; empty if none is known.

        Raises DumpError if there are several that may be its, and differ.
        """
        if place in self._created:
            return self._created[place]
        may_be = [columns for other, columns in self._created.items() if place.may_be(other)]
        if any(columns != may_be[0] for columns in may_be):
            raise DumpError(
                f"{self._script.where}: expected one CREATE TABLE of {place.shown}, found several that differ."
            )
        return may_be[0] if may_be else {}

    def _filling(self, bare: str) -> str:
        """The part of a statement, given without its texts, that brings rows of our table; empty if none does."""
        filled = filled_tables(bare, of_sql_server=self._script.of_sql_server)
        return next((text for name, text in filled if _is_ours(self._session.place(name))), "")

    def _changing(self, bare: str) -> str:
        """The part of a statement, given without its texts, that changes rows which the script has brought."""
        if not self._found:
            return ""
        for name, text in changed_tables(bare, TABLE, of_sql_server=self._script.of_sql_server):
            if self._found.may_be(self._session.place(name)):
                return text
        away = any(self._found.may_be(self._session.any_table(kind, name)) for kind, name in places_taken_away(bare))
        return bare if away else ""


def _part(part: str, bare: str, begins: str) -> str:
    """A part of a statement as an error shows it, whose line is that of the whole."""
    is_its_beginning = bare.strip().startswith(part.strip())
    shown_parts = (begins,) if is_its_beginning else (part, begins)
    return ", after ".join(text.strip()[:SHOWN_CHARACTERS] for text in shown_parts)


def _is_ours(place: Place) -> bool:
    """Whether a table is ours, in whatever case: quotes and backticks keep the one in which it was created."""
    return place.table.lower() == TABLE


def _require_readable(script: Script, statement: str) -> None:
    """Raises DumpError if a statement brings rows of the table, or of any, in a way that cannot be read."""
    if _ANY_COPY_WITH_DATA.match(statement):
        raise DumpError(f"{script.where}: cannot read this COPY: {statement[:SHOWN_CHARACTERS]}")
    if _FROM_ANOTHER_FILE.match(statement) or _is_damaged(statement):
        raise DumpError(
            f"{script.where}: expected rows of VALUES or a COPY block, found {statement[:SHOWN_CHARACTERS]}"
        )


def _require_no_rows_in_texts(script: Script, other_rows: str) -> None:
    """Raises DumpError if an INSERT of another table holds one of ours."""
    if _DATA_IN_OTHERS.search(other_rows):
        raise DumpError(
            f"{script.where}: expected the end of this INSERT, found one for the table {TABLE} inside its quotations: "
            "there is a quote too few or too many."
        )


def _layout_of_copy(script: Script, tables: _Tables, copy: re.Match[str]) -> _Layout | None:
    """The layout of the COPY block to whose first line it moves. One of another table is skipped: None."""
    script.skip_line()
    layout = tables.layout(copy[1], copy[2])
    if layout is None:
        for _ in script.copy_data():
            pass
    elif options := copy[3].strip():
        raise DumpError(f"{script.where}: expected COPY without options, found {options[:SHOWN_CHARACTERS]}.")
    return layout


def _is_damaged(statement: str) -> bool:
    """Whether it begins as no statement does, or brings data of the table in an unknown way."""
    if _DAMAGED.match(statement):
        return True
    table = None if _DEFINITION.match(statement) else _TABLE.search(statement)
    return table is not None and _DATA.search(statement, table.end()) is not None


def _skip_body(script: Script, statement: str) -> None:
    """Skips the rest of a routine or rule: what its statements insert is not data."""
    if script.of_sql_server:
        while not script.ended_batch and script.statement() is not None:
            pass
        return
    where = script.where
    opened = _opened(script, statement)
    while opened > 0:
        if (inner := script.statement()) is None:
            raise DumpError(f"{where}: expected the END of this body, found none: {statement[:SHOWN_CHARACTERS]}")
        opened += _opened(script, inner)


def _opened(script: Script, statement: str) -> int:
    """How many bodies and parentheses a statement, or several, leaves open; less than 0 if it ends some."""
    if script.delimiter != b";":  # so that the statements of a body end none
        return 0
    words = QUOTED.sub("", script.without_texts(statement))
    begin = _BEGIN_OF_MYSQL if script.of_mysql else _BEGIN
    return len(begin.findall(words)) - len(_END.findall(words)) + words.count("(") - words.count(")")


def _copied(script: Script, layout: _Layout, *, after: int) -> Generator[Lines, None, int]:
    """The lines of the next COPY block, numbered as in the file, but after `after`. Returns the last number."""
    rest, line, last = b"", max(script.line, after + 1), after
    windows = None
    for chunk in script.copy_data(line_limit=LINE_LIMIT_BYTES):
        data = rest + chunk
        end = data.rfind(b"\n") + 1
        data, rest = data[:end], data[end:]
        if data:
            lines = data.count(b"\n")
            if windows is None:
                windows = data[: data.index(b"\n")].endswith(b"\r")
            yield Lines(layout.columns, line, script.decoder(data.replace(b"\r\n", b"\n") if windows else data))
            line += lines
            last = line - 1
    return last


def _inserted(script: Script, head: bytes, layout: _Layout, *, after: int) -> Generator[Lines | Reject, None, int]:
    """The rows of INSERTs, numbered after `after`: where several begin in one line of the file, each takes the next
    free number. Returns the last number."""
    columns, zone = layout
    at = columns.index("invoice_date")
    batch: list[bytes] = []
    originals: list[bytes] = []

    def gathered() -> Iterator[Lines]:
        if batch:
            first = int(batch[0].partition(b"\t")[0])
            yield Lines((LINE_NUMBER, *columns), first, script.decoder(b"".join(batch)), list(originals))
            batch.clear()
            originals.clear()

    line = after
    for row in script.rows(head, tuple(column is not None for column in columns)):
        line = max(line + 1, row.line)
        if row.values is None:
            yield from gathered()
            expected = f"expected {len(columns)} values: texts, numbers or NULL"
            yield Reject(line, legible(script.decoder(row.text)), None, expected)
        else:
            fields = _as_copy_fields(row)
            if zone and fields[at][-1:].isdigit():
                fields[at] += zone
            batch.append(b"%d\t%b\n" % (line, b"\t".join(fields)))
            originals.append(row.text)
            if len(batch) == BATCH_ROWS:
                yield from gathered()
    yield from gathered()
    return line


def _as_copy_fields(row: Row) -> list[bytes]:
    values = row.values or ()
    fields: list[bytes] = []
    is_special = _SPECIAL.search(row.text) is not None
    for escaped, plain, other in zip(values[0::3], values[1::3], values[2::3], strict=True):
        if other is not None:
            fields.append(_word(other) if other[:1].isalpha() else other)
        elif not is_special:
            fields.append(escaped or plain or b"")
        elif escaped is not None:
            fields.append(_ESCAPE.sub(_as_copy_escape, escaped))
        else:
            fields.append(_SPECIAL.sub(_as_copy_escape, plain or b""))
    return fields


def _word(written: bytes) -> bytes:
    return NULL if written.upper() == b"NULL" else _date_of_bytes(written) or written


def _date_of_bytes(cast: bytes) -> bytes | None:
    """The date and time that SQL Server's `CAST(0x… AS DateTime)` means, None if it is not one, or out of range.

    DateTime is days since 1900 and 300ths of a second, SmallDateTime days and minutes, the high byte first. Date is
    days since the year 1; DateTime2 is a number of decimals, the time since midnight in units of that precision, and
    then a Date, the low byte first. A Date may be followed by a zero byte.
    """
    if not (match := _BINARY_DATE.match(cast)) or len(match[1]) % 2:
        return None
    data, kind = bytes.fromhex(match[1].decode()), match[2].lower()
    start, days, passed = datetime(1, 1, 1), 0, timedelta()
    if kind in (b"datetime", b"smalldatetime"):
        half = len(data) // 2
        if len(data) != (8 if kind == b"datetime" else 4):
            return None
        start = datetime(1900, 1, 1)
        days, units = int.from_bytes(data[:half], signed=half == 4), int.from_bytes(data[half:])
        # SQL Server shows thousandths.
        passed = timedelta(milliseconds=(units * 20 + 3) // 6) if kind == b"datetime" else timedelta(minutes=units)
    else:
        time = b""
        if kind == b"datetime2":
            decimals, data = data[0], data[1:]
            if decimals > 7:
                return None
            width = 3 if decimals < 3 else 4 if decimals < 5 else 5
            time, data = data[:width], data[width:]
            passed = timedelta(microseconds=int.from_bytes(time, "little") * 10**6 // 10**decimals)
        if len(data) == 4 and data[3] == 0:
            data = data[:3]
        if len(data) != 3:
            return None
        days = int.from_bytes(data, "little")
    if passed >= timedelta(days=1):
        return None
    try:
        return (start + timedelta(days=days) + passed).isoformat(" ").encode()
    except OverflowError:
        return None


def _as_copy_escape(special: re.Match[bytes]) -> bytes:
    """What COPY's text format has for something special in a quotation."""
    found = special[0]
    if found in _COPY_ESCAPES:
        return _COPY_ESCAPES[found]
    if found[1:2] in (b"u", b"U") and len(found) > len("\\u"):
        return "".join(f"\\x{byte:02x}" for byte in chr(int(found[2:], 16)).encode(errors="surrogatepass")).encode()
    return found if _ESCAPE_OF_COPY.fullmatch(found) else _COPY_ESCAPES.get(found[1:], found[1:])


def _listed_columns(body: str) -> Iterator[tuple[str, str]]:
    """The names of the columns in the parentheses of a CREATE TABLE, each with the first word of its type."""
    depth, expecting, column = 0, True, None
    constraints = _CONSTRAINTS_OF_MYSQL if body.lstrip().startswith("`") else _CONSTRAINTS
    for piece in _PIECE.finditer(body):
        name, opening, closing, comma = piece.groups()
        depth += bool(opening) - bool(closing)
        if column and (name or comma or closing):
            yield column, name or ""
            column = None
        elif name and expecting and name.lower() not in constraints:
            column = unquoted(name)[0]
        if depth < 0:
            return
        expecting = (expecting and not name) or bool(comma and not depth)
    if column:
        yield column, ""
