"""SQL dumps: the lines of the table `retail` in a script, from its COPY blocks and its INSERTs of rows.

No statement has any effect. Three are taken into account, because the script cannot be read without them: the settings
`client_encoding` and `standard_conforming_strings`, and the CREATE TABLE that gives the order of the columns.
"""

import codecs
import functools
import re
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from lgs_assets.errors import DumpError
from lgs_assets.sources.columns import canonical, described, shown
from lgs_assets.sources.copy_text import NULL
from lgs_assets.sources.encoding import Decoder
from lgs_assets.sources.lines import LINE_NUMBER, Lines, Reject, legible
from lgs_assets.sources.sql_script import INSERT, LINE_LIMIT_BYTES, STATEMENT_LIMIT_BYTES, Row, Script

TABLE = "retail"
BATCH_ROWS = 4096
SHOWN_TABLES = 20
SHOWN_CHARACTERS = 63  # the longest name that PostgreSQL allows
SHOWN_NAME = 4 * SHOWN_CHARACTERS  # with a schema, and as bytes

# As in scripts, no pattern matches a text in two ways: see sql_script.
_IDENTIFIER = (
    r'(?:"[^"]*(?:""[^"]*)*"(?!")|`[^`]*(?:``[^`]*)*`(?!`)|\[[^\]]*(?:\]\][^\]]*)*\](?!\])'
    r"|[^\W\d][\w$]*(?![\w$]))"
)
_NAME = rf"{_IDENTIFIER}(?:\s*\.\s*{_IDENTIFIER})*"
_COLUMNS = rf"\(\s*({_IDENTIFIER}(?:\s*,\s*{_IDENTIFIER})*)\s*\)\s*"
_COPY = re.compile(rf"COPY\s+({_NAME})\s*(?:{_COLUMNS})?FROM\s+stdin\b(.*)", re.I | re.S)
# A COPY that is followed by data or, being long, may be.
_ANY_COPY_WITH_DATA = re.compile(rf"COPY\b(?:.*\bFROM\s+stdin\b|.{{{STATEMENT_LIMIT_BYTES // 4}}})", re.I | re.S)
_INSERT = re.compile(rf"(?:WITH\b.*\b)?{INSERT}({_NAME})", re.I | re.S)
# How no statement begins: damage, such as INSERT with another letter in it, or the rest of a row. If it were skipped,
# lines would be lost unnoticed.
_DAMAGED = re.compile(
    r"\s*(?:[^\w\s:(]|\d|\(\s*(?!\s|[^\W\d]))"
    r"|INSERT\b(?!\s*(?:[\w\"`\[(]|,\s*[^\W\d]|$))",  # a comma follows INSERT in a GRANT
    re.I,
)
# Statements that may contain others that bring data, in quotes or not, without bringing any themselves.
_DEFINITION = re.compile(r"\s*(?:ALTER|COMMENT|CREATE|DO|EXEC|EXECUTE|MERGE|PREPARE|SELECT)\b", re.I)
# Anything else that names the table and brings data is damaged, or has a stray quote that swallows the table's lines.
_TABLE = re.compile(rf"\b{TABLE}\b", re.I)
_DATA = re.compile(r"\bVALUES\s*\(|\bFROM\s+stdin\b", re.I)
_DATA_IN_OTHERS = re.compile(rf"\n[ \t]*(?:{INSERT}|COPY\s+)(?:{_IDENTIFIER}\s*\.\s*)*[\"`\[]?{TABLE}\b", re.I)
_CREATE_TABLE = re.compile(
    rf"CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?({_NAME})\s*\((.*)\)", re.I | re.S
)
_CREATE_ROUTINE = re.compile(r"(?:CREATE|ALTER)\s+(?:OR\s+\w+\s+)?(?:FUNCTION|PROC|PROCEDURE|TRIGGER)\b", re.I)
_ATOMIC = re.compile(r"\bBEGIN\s+ATOMIC\b", re.I)
_SETTING = re.compile(r"SET\s+(client_encoding|standard_conforming_strings)\s*(?:=|TO\b)\s*'?([\w-]+)'?\s*$", re.I)
# In these, every byte that looks like ASCII is ASCII. In other encodings, half a character can look like a backslash.
_READABLE_ENCODING = re.compile(
    r"UTF-?8|UNICODE|SQL_ASCII|LATIN\d+|ISO[_-]?8859[_-]\d+|(?:WIN|WINDOWS-?)(?:125\d|866|874)|KOI8-?[RU]|EUC_\w+", re.I
)
_PIECE = re.compile(rf"({_IDENTIFIER})|'[^']*(?:''[^']*)*'(?!')|(\()|(\))|(,)|[^\s(),'\"`\[]|\s+", re.S)
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

_Names = tuple[str, ...]


def parse(path: Path | str, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines | Reject]:
    """The lines of the table. Raises DumpError if there are none, or if they cannot be read."""
    script = Script(path, stream)
    tables = _Tables(script, facts)
    last = 0
    while True:
        if insert := script.insert():
            name, names, head = insert
            columns = tables.columns(name.decode(errors="replace"), names.decode(errors="replace") if names else None)
            if columns:
                facts["format"] = "T-SQL script of INSERTs" if script.of_sql_server else "SQL dump of INSERTs"
                last = yield from _inserted(script, head, columns, after=last)
            else:
                other_rows = script.statement() or ""
                if _DATA_IN_OTHERS.search(other_rows):
                    raise DumpError(
                        f"{script.where}: expected the end of this INSERT, found one for the table {TABLE} inside its "
                        "quotations: there is a quote too few or too many."
                    )
        elif (statement := script.statement()) is None:
            break
        elif setting := _SETTING.match(statement):
            _believe(script, setting[1].lower(), setting[2])
        elif create := _CREATE_TABLE.match(statement):
            tables.created(create[1], create[2])
        elif _CREATE_ROUTINE.match(statement):
            _skip_body(script, statement)
        elif copy := _COPY.match(statement):
            script.skip_line()
            columns = tables.columns(copy[1], copy[2])
            if columns and copy[3].strip():
                shown = copy[3].strip()[:SHOWN_CHARACTERS]
                raise DumpError(f"{script.where}: expected COPY without options, found {shown}.")
            if columns:
                facts["format"] = "SQL dump of COPY blocks"
                last = yield from _copied(script, columns, after=last)
            else:
                for _ in script.copy_data():
                    pass
        elif _ANY_COPY_WITH_DATA.match(statement):
            raise DumpError(f"{script.where}: cannot read this COPY: {statement[:SHOWN_CHARACTERS]}")
        elif ((other := _INSERT.match(statement)) and _is_ours(_unquoted(other[1]))) or _is_damaged(statement):
            raise DumpError(
                f"{script.where}: expected rows of VALUES or a COPY block, found {statement[:SHOWN_CHARACTERS]}"
            )
    tables.require()
    facts.setdefault("encoding", script.decoder.name)


class _Tables:
    """Which tables the script has, and the columns of ours."""

    def __init__(self, script: Script, facts: dict[str, str]) -> None:
        self._script = script
        self._facts = facts
        self._found: _Names = ()
        self._others: set[str] = set()
        self._created: dict[_Names, _Names] = {}

    def created(self, name: str, body: str) -> None:
        """Notes the columns of a table as its CREATE TABLE lists them."""
        names = _unquoted(name)
        if _is_ours(names):
            self._created[names] = tuple(_listed_columns(body))

    def columns(self, name: str, listed: str | None) -> tuple[str | None, ...] | None:
        """The canonical columns of a table's data, None if the table is not ours.

        Raises DumpError if there are two tables of that name, or if its columns are not known.
        """
        names = _unquoted(name)
        if not _is_ours(names):
            if len(self._others) < SHOWN_TABLES:
                self._others.add(shown(names[-1][:SHOWN_CHARACTERS]))
            return None
        place = (*self._script.database, *names)
        if self._found not in ((), place):
            both = " and ".join(".".join(found)[:SHOWN_NAME] for found in (place, self._found))
            raise DumpError(f"{self._script.where}: expected one table, found {both}.")
        self._found = place
        header = _unquoted(listed) if listed else self._created.get(names)
        if header is None:
            raise DumpError(
                f"{self._script.where}: the columns are named neither here nor in an earlier CREATE TABLE, "
                "so their order is not known."
            )
        columns = canonical(header, where=self._script.where)
        self._facts |= described(header, columns)
        return columns

    def require(self) -> None:
        """Raises DumpError if the script has no data of the table."""
        others = ", ".join(sorted(self._others))
        if not self._found:
            raise DumpError(
                f"{self._script.path}: no data of a table {TABLE}. Tables with data in the file: {others or 'none'}."
            )
        if others:
            self._facts["tables left out"] = others


def _is_ours(names: _Names) -> bool:
    """Whether a table is ours, in whatever case: quotes and backticks keep the one in which it was created."""
    return names[-1].lower() == TABLE


def _believe(script: Script, setting: str, value: str) -> None:
    if setting == "standard_conforming_strings":
        script.read_backslashes(as_escapes=value.lower() != "on")
        return
    try:
        if not _READABLE_ENCODING.fullmatch(value):
            raise LookupError(value)
        script.decoder = Decoder(_codec(value))
    except LookupError as error:
        raise DumpError(
            f"{script.where}: the encoding {value} is not supported. Write the dump with pg_dump --encoding=UTF8."
        ) from error


def _is_damaged(statement: str) -> bool:
    """Whether it begins as no statement does, or brings data of the table in an unknown way."""
    if _DAMAGED.match(statement):
        return True
    table = None if _DEFINITION.match(statement) else _TABLE.search(statement)
    return table is not None and _DATA.search(statement, table.end()) is not None


def _codec(encoding: str) -> str | None:
    """Python's name for one of PostgreSQL's encodings, None for bytes whose encoding PostgreSQL does not know."""
    name = re.sub(r"^WIN(?:DOWNS-?)?", "cp", encoding.upper()).replace("UNICODE", "UTF8").replace("EUC_CN", "GB2312")
    return None if name == "SQL_ASCII" else codecs.lookup(re.sub(r"KOI8-?", "KOI8-", name)).name


def _skip_body(script: Script, statement: str) -> None:
    """Skips the unquoted statements in a routine: what they insert is not data."""
    if script.of_sql_server:
        while not script.ended_batch and script.statement() is not None:
            pass
    elif _ATOMIC.search(statement):
        while (inner := script.statement()) is not None and inner.strip().upper() != "END":
            pass


def _copied(script: Script, columns: tuple[str | None, ...], *, after: int) -> Generator[Lines, None, int]:
    """The lines of the next COPY block, numbered as in the file, but after `after`. Returns the last number."""
    rest, line = b"", max(script.line, after + 1)
    windows = None
    for chunk in script.copy_data(line_limit=LINE_LIMIT_BYTES):
        data = rest + chunk
        end = data.rfind(b"\n") + 1
        data, rest = data[:end], data[end:]
        if data:
            lines = data.count(b"\n")
            if windows is None:
                windows = data[: data.index(b"\n")].endswith(b"\r")
            yield Lines(columns, line, script.decoder(data.replace(b"\r\n", b"\n") if windows else data))
            line += lines
    return line - 1


def _inserted(
    script: Script, head: bytes, columns: tuple[str | None, ...], *, after: int
) -> Generator[Lines | Reject, None, int]:
    """The rows of INSERTs, numbered after `after`: where several begin in one line of the file, each takes the next
    free number. Returns the last number."""
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
            batch.append(b"%d\t%b\n" % (line, _as_copy_text(row)))
            originals.append(row.text)
            if len(batch) == BATCH_ROWS:
                yield from gathered()
    yield from gathered()
    return line


def _as_copy_text(row: Row) -> bytes:
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
    return b"\t".join(fields)


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


def _listed_columns(body: str) -> Iterator[str]:
    """The names of the columns in the parentheses of a CREATE TABLE."""
    depth, expecting = 0, True
    constraints = _CONSTRAINTS_OF_MYSQL if body.lstrip().startswith("`") else _CONSTRAINTS
    for piece in _PIECE.finditer(body):
        name, opening, closing, comma = piece.groups()
        depth += bool(opening) - bool(closing)
        if depth < 0:
            return
        if name and expecting:
            if name.lower() not in constraints:
                yield _unquoted(name)[0]
            expecting = False
        elif comma and not depth:
            expecting = True


@functools.lru_cache(maxsize=8)  # a run of INSERTs names one table
def _unquoted(identifiers: str) -> _Names:
    """The names that identifiers stand for: as written in quotes or backticks, otherwise in lower case."""
    return tuple(_name(identifier) for identifier in re.findall(_IDENTIFIER, identifiers))


def _name(identifier: str) -> str:
    if identifier.startswith('"'):
        return identifier[1:-1].replace('""', '"')
    if identifier.startswith("`"):
        return identifier[1:-1].replace("``", "`")
    return identifier.strip("[]").lower()
