"""CSV dumps: a line of column names, then one record a line, with commas, semicolons, tabs or bars between the fields.

Most chunks of lines need only replacements. A line whose quotes do not balance is read by Python's own module, together
with as many of the following lines as belong to its record. Some programs quote with apostrophes, or write blanks
around the quotation: the first lines show it.
"""

import csv
import re
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lgs_assets.errors import DumpError
from lgs_assets.sources.columns import (
    CANONICAL_COLUMNS,
    HEADER_WITHIN_LINES,
    canonical,
    described,
    header_among,
    names_few,
    shown,
)
from lgs_assets.sources.copy_text import NULL, escaped
from lgs_assets.sources.dates import form_of
from lgs_assets.sources.encoding import Decoder
from lgs_assets.sources.lines import LINE_NUMBER, Lines, Reject, legible

FORMAT = "CSV"
CHUNK_BYTES = 1 << 18
HEADER_LIMIT_BYTES = 1 << 16
BROKEN_HEADER_LIMIT = 1 << 12  # characters of a header with line breaks in its names
LINE_LIMIT_BYTES = 1 << 24
RECORD_LIMIT_LINES = 100
LINES_THAT_SHOW = 100
SHOWN_CHARACTERS = 100

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
# Stand for a delimiter and a quote within quotes while all others are replaced.
_INNER_DELIMITER, _INNER_QUOTE = b"\x01", b"\x02"


class NoTableError(DumpError):
    """A text names next to no column, and none of its first lines looks like an invoice line either."""


def parse(path: Path | str, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines | Reject]:
    """The records of a CSV file, numbered by their lines.

    There may be a title, notes and blank lines above the header.
    Raises DumpError if none of the first lines names every canonical column.
    """
    decoder = Decoder()
    source = _Source(path, stream, decoder)
    header = _header(path, source)
    try:
        columns = canonical(header.names, where=f"{path}, line {header.line}")
    except DumpError as error:
        raise (DumpError if header.is_of_table else NoTableError)(str(error)) from None
    facts |= {"format": FORMAT, "delimiter": _DELIMITERS[header.delimiter]} | described(header.names, columns)
    if header.above:
        facts["lines above the header"] = ", ".join(header.above)
    layout, line = _layout(header.delimiter, columns, header.below), header.line + header.lines
    if layout.quoting:
        facts["quotes"] = layout.quoting
    while text := source.chunk():
        lines, data = text.split(b"\n")[:-1], layout.as_copy_text(text)
        if layout.quote in data or b"\n\n" in data or data.startswith(b"\n"):
            line += yield from _one_by_one(source, layout, columns, line, lines, data.split(b"\n"))
        else:
            yield Lines(columns, line, data, lines)
            line += len(lines)
    facts.setdefault("encoding", decoder.name)


class _Header(NamedTuple):
    """The line that names the columns."""

    line: int
    lines: int
    """More than one if names have line breaks."""
    names: list[str]
    delimiter: str
    above: list[str]
    """The text of the lines above it."""
    below: list[bytes]
    """The first lines below it."""
    is_of_table: bool
    """Whether it names columns, or one of the first lines looks like an invoice line, or is no text."""


def _header(path: Path | str, source: "_Source") -> _Header:
    """Moves past the header: the one of the first lines that names the most columns."""
    lines = source.first_lines(HEADER_WITHIN_LINES)
    texts = [line[:HEADER_LIMIT_BYTES].decode(errors="replace").rstrip("\r") for line in lines[:HEADER_WITHIN_LINES]]
    if "\0" in texts[0]:
        raise DumpError(f"{path}: this is not text, nor any format the platform reads: SQL, CSV, Excel, Parquet.")
    if "\r" in texts[0]:
        raise DumpError(f"{path}: its lines end in a bare carriage return. Save it with Unix or Windows line breaks.")
    rows = [(at, row) for at in range(len(texts)) for row in _rows_from(texts[at:])]
    at, row = rows[header_among([row.names for _, row in rows])]
    below = lines[at + row.lines :]
    source.put_back(below)
    above = [shown(text)[:SHOWN_CHARACTERS] for text in texts[:at] if text.strip()]
    is_of_table = not names_few(row.names) or any(_is_of_table(row.names) for _, row in rows) or "\0" in "".join(texts)
    return _Header(at + 1, row.lines, row.names, row.delimiter, above, below[:LINES_THAT_SHOW], is_of_table)


class _Row(NamedTuple):
    """A record that may be the header."""

    names: list[str]
    delimiter: str
    lines: int


def _rows_from(texts: list[str]) -> Iterator[_Row]:
    """What the record at the start of these lines may be: the first line, or more if a quotation in it goes on."""
    delimiter = max(_DELIMITERS, key=texts[0].count)
    yield _row(texts[:1], delimiter)
    if texts[0].count('"') % 2:
        several = "\n".join(texts)[:BROKEN_HEADER_LIMIT].split("\n")
        yield from (_row(several, delimiter) for delimiter in _DELIMITERS)


def _row(texts: list[str], delimiter: str) -> _Row:
    reader = csv.reader((f"{text}\n" for text in texts), delimiter=delimiter)
    try:
        return _Row(next(reader, []), delimiter, reader.line_num)
    except csv.Error:
        return _Row(texts[:1], delimiter, 1)


def _is_of_table(row: list[str]) -> bool:
    """Whether a record may be one of a table, whatever its header: it has a date among several fields."""
    return 2 * len(row) >= len(CANONICAL_COLUMNS) and any(map(form_of, row))


def _layout(delimiter: str, columns: tuple[str | None, ...], lines: list[bytes]) -> "_Layout":
    """The layout that the first lines below the header show."""
    country = columns.index("country")  # a text in every line; no country is called something in apostrophes
    fields = map(_Layout(delimiter, quote="'").quoted, lines)
    in_apostrophes = [quoted[country] for quoted in fields if len(quoted) == len(columns)]
    quote = "'" if 2 * sum(in_apostrophes) > len(in_apostrophes) else '"'
    padded = _Layout(delimiter, quote=quote, is_padded=True)
    paddings = [padding for line in lines for padding in padded.paddings(line)]
    return padded if paddings and 2 * sum(paddings) >= len(paddings) else _Layout(delimiter, quote=quote)


def _one_by_one(
    source: "_Source",
    layout: "_Layout",
    columns: tuple[str | None, ...],
    first_line: int,
    lines: list[bytes],
    as_copy_text: list[bytes],
) -> Generator[Lines | Reject, None, int]:
    """Lines of which some are blank, or belong to one record. Returns how many lines of the file they are.

    If a record that spans several lines is broken, only its first line is given up.
    """
    at, chunk = 0, len(lines)
    good: list[bytes] = []
    originals: list[bytes] = []

    def gathered() -> Iterator[Lines]:
        if good:
            first = int(good[0].partition(b"\t")[0])
            yield Lines((LINE_NUMBER, *columns), first, b"".join(good), list(originals))
            good.clear()
            originals.clear()

    while at < chunk:
        row, taken, problem = as_copy_text[at], 1, None
        if layout.quote in row:
            try:
                fields, taken = layout.record(lines, at, source)
                row = layout.joined(fields)
                inner = lines[at + 1 : at + taken]
                if inner and (len(fields) != len(columns) or layout.has_record(lines[at], inner, columns)):
                    taken, problem = 1, "a quotation does not end where it should"
                elif taken == 1 and layout.has_stray_quotation(lines[at]):
                    problem = "blanks around a quotation, unlike in the first lines"
            except csv.Error as error:
                problem = f"misplaced quotes: {error}"
        if problem:
            yield from gathered()
            yield Reject(first_line + at, legible(lines[at]), None, problem)
        elif lines[at].rstrip(b"\r"):  # a blank line is not a record
            good.append(b"%d\t%b\n" % (first_line + at, row))
            originals.append(b"\n".join(lines[at : at + taken]))
        at += taken
    yield from gathered()
    source.put_back(lines[at:])
    return at


class _Layout:
    """How the fields of a record are separated and quoted."""

    def __init__(self, delimiter: str, *, quote: str = '"', is_padded: bool = False) -> None:
        """`is_padded` says that blanks around a field are not part of it."""
        self._delimiter = delimiter
        self._is_padded = is_padded
        self.quote = quote.encode()
        kinds = (("apostrophes", quote == "'"), ("after blanks", is_padded))
        self.quoting = ", ".join(words for words, is_so in kinds if is_so)
        """In words, where it is not the usual one."""
        mark = delimiter.encode()
        self._fields = bytes.maketrans(mark + _INNER_DELIMITER + _INNER_QUOTE, b"\t" + mark + self.quote)
        # The characters that COPY's text format escapes. It need not escape the stand-ins, but they must be unused.
        escapes = {b"\\": rb"\\", b"\t": rb"\t", _INNER_DELIMITER: rb"\x01", _INNER_QUOTE: rb"\x02"}
        self._escapes = {character: escape for character, escape in escapes.items() if character != mark}
        self._inner = {2 * self.quote: _INNER_QUOTE, b"\r": rb"\r"}
        self._inner |= {mark: rb"\t" if mark == b"\t" else _INNER_DELIMITER}
        q, start, end = self.quote, rb"(?<![^%b\n])" % mark, rb"(?![^%b\n])" % mark
        content = rb"([^%b\n]*(?:%b[^%b\n]*)*)" % (q, 2 * q, q)
        blank, escaped_blank = (rb" ", rb" ") if mark == b"\t" else (rb"[ \t]", rb"(?: |\\t)")
        self._in_blanks = re.compile(start + rb"(%b*)%b%b%b(%b*)" % (blank, q, content, q, blank) + end)
        # Tabs at the end of a field stay: the time to find them would grow with the square of their number.
        self._padding = re.compile(rb"%b%b+|(?<![ \\]) +%b" % (start, escaped_blank, end))
        if is_padded:
            self._quotation = re.compile(start + rb"%b*%b%b%b%b*" % (escaped_blank, q, content, q, escaped_blank) + end)
        else:  # it begins with the quote, which is found faster
            self._quotation = re.compile(rb"%b(?<![^%b\n]%b)%b%b%b" % (q, mark, q, content, q, end))

    def as_copy_text(self, lines: bytes) -> bytes:
        """Lines in COPY's text format. Lines that cannot be read on their own keep their quotes."""
        data = _replaced(lines.replace(b"\r\n", b"\n"), self._escapes)
        data = self._quotation.sub(self._unquoted, data)
        if self._is_padded:
            data = self._padding.sub(b"", data)
        data = data.translate(self._fields)
        for _ in range(2):  # neighbours share the tab between them
            data = data.replace(b"\t\t", b"\t%b\t" % NULL)
        data = data.replace(b"\t\n", b"\t%b\n" % NULL).replace(b"\n\t", b"\n%b\t" % NULL)
        return NULL + data if data.startswith(b"\t") else data

    def record(self, lines: list[bytes], at: int, source: "_Source") -> tuple[list[str], int]:
        """The fields of the record that begins in a line, and its number of lines. Reads more lines if it needs them.

        Raises csv.Error if the quotes do not allow a record.
        """
        taken = 0

        def text() -> Iterator[str]:
            nonlocal taken
            while taken < RECORD_LIMIT_LINES:
                if at + taken == len(lines):
                    lines.extend(source.line())
                if at + taken == len(lines):
                    return
                taken += 1
                line = lines[at + taken - 1]
                if self._is_padded and taken == 1:
                    line = self._in_blanks.sub(self._without_blanks, line.rstrip(b"\r"))
                yield line.decode(errors="surrogateescape") + "\n"

        return next(self._reader(text())), taken

    def quoted(self, line: bytes) -> list[bool]:
        """Of each field of a line, whether it is in quotes."""
        bare = self._in_blanks.sub(_INNER_QUOTE, line.rstrip(b"\r"))
        return [field == _INNER_QUOTE for field in bare.split(self._delimiter.encode())]

    def paddings(self, line: bytes) -> list[bool]:
        """Of each quotation in a line that follows another field, whether there are blanks before it."""
        return [bool(match[1]) for match in self._in_blanks.finditer(line) if match.start()]

    def has_stray_quotation(self, line: bytes) -> bool:
        """Whether blanks around a quotation make a text of it, quotes and all."""
        quotations = self._in_blanks.finditer(line.rstrip(b"\r"))
        return not self._is_padded and any(match[1] or match[3] for match in quotations)

    def has_record(self, first: bytes, others: list[bytes], columns: tuple[str | None, ...]) -> bool:
        """Whether one of the `others`, within a quotation or at its end, is on its own a record of the table.

        A quotation that ends in the first column began there, in the line `first`: rightly, unless that is a record
        without its quotes, too.
        """
        for line in others:
            record = self._record_of(line, columns)
            if record and (
                self.quote.decode() not in record[0] or self._record_of(first.replace(self.quote, b""), columns)
            ):
                return True
        return False

    def _record_of(self, line: bytes, columns: tuple[str | None, ...]) -> list[str]:
        """The fields of a line that has an invoice number and a date where they belong; none of any other.

        The fields that a quotation may have cut count from the left, those behind them from the right.
        """
        invoice, date = columns.index("invoice_no"), columns.index("invoice_date")
        try:
            record = next(self._reader([line.rstrip(b"\r").decode(errors="surrogateescape")]), [])
        except csv.Error:
            return []
        dates = (record[date], record[date - len(columns)]) if len(record) >= len(columns) else ()
        return record if any(map(form_of, dates)) and any(map(str.isdigit, record[invoice])) else []

    def joined(self, fields: list[str]) -> bytes:
        """The fields of a record in COPY's text format."""
        return "\t".join(map(escaped, fields)).encode(errors="surrogateescape")

    def _reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        return csv.reader(
            lines,
            delimiter=self._delimiter,
            quotechar=self.quote.decode(),
            skipinitialspace=self._is_padded,
            strict=True,
        )

    def _unquoted(self, quotation: re.Match[bytes]) -> bytes:
        text = _replaced(quotation[1], self._inner)
        if self._is_padded and text != text.strip(b" "):  # its own blanks stay
            text = re.sub(rb"\A | \Z", rb"\\x20", text)
        return text

    def _without_blanks(self, quotation: re.Match[bytes]) -> bytes:
        return quotation[0].strip(b" \t")


def _replaced(data: bytes, replacements: dict[bytes, bytes]) -> bytes:
    for old, new in replacements.items():
        data = data.replace(old, new)
    return data


class _Source:
    """The lines of the file in UTF-8."""

    def __init__(self, path: Path | str, stream: BinaryIO, decoder: Decoder) -> None:
        self._path = path
        self._stream = stream
        self._decoder = decoder
        self._put_back = b""

    def first_lines(self, count: int) -> list[bytes]:
        """The lines at the start of the file, without line breaks: a chunk, and at least `count` if there are."""
        lines: list[bytes] = []
        while len(lines) < count and (text := self.chunk()):
            lines += text.split(b"\n")[:-1]
        return lines or [b""]

    def chunk(self) -> bytes:
        """The next lines, each with its line break; nothing at the end."""
        text, self._put_back = self._put_back, b""
        return text or self._decoded(self._stream.read(CHUNK_BYTES))

    def line(self) -> list[bytes]:
        """The next line without its line break; nothing at the end."""
        return self._decoded(b"").split(b"\n")[:-1]

    def put_back(self, lines: list[bytes]) -> None:
        """Takes back the last lines, to return them again."""
        self._put_back = b"\n".join([*lines, b""])

    def _decoded(self, start: bytes) -> bytes:
        data = start + self._stream.readline(LINE_LIMIT_BYTES)
        if data and not data.endswith(b"\n"):
            if len(data) >= LINE_LIMIT_BYTES:
                raise DumpError(f"{self._path}: a line is longer than {LINE_LIMIT_BYTES:,} bytes.")
            data += b"\n"
        return self._decoder(data)
