"""The walk through an SQL script: it finds the lines of `retail`, every one and no other, and nothing is run."""

import io
import itertools
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets.errors import DumpError
from lgs_assets.sources import CANONICAL_COLUMNS, open_dump, sql_dump

COLUMNS = ", ".join(CANONICAL_COLUMNS)
COPY = f"COPY public.retail ({COLUMNS}) FROM stdin;\n"
LINES = "536365\t85123A\tLANTERN\t6\t2010-12-01 08:26:00\t2.55\t17850\tUnited Kingdom\n" * 2
BLOCK = f"{COPY}{LINES}\\.\n"
DECOY = "COPY retail FROM stdin;\nnot a line\n\\.\n"
CHUNK_SIZES = [1, 2, 3, 7, 64, 1000]

# What `blocks_of` gives for a block: number of the first line, columns, bytes.
Found = tuple[int, tuple[str | None, ...], bytes]


def blocks_of(script: str | bytes) -> list[Found]:
    stream = io.BytesIO(script if isinstance(script, bytes) else script.encode())
    dump = sql_dump.parse(Path("retail.sql"), stream)
    return [(block.first_line, block.columns, b"".join(block.chunks)) for block in dump.blocks]


def outcome(script: str | bytes) -> list[Found] | str:
    try:
        return blocks_of(script)
    except DumpError as error:
        return str(error)


def refusal(script: str | bytes) -> str:
    with pytest.raises(DumpError) as caught:
        blocks_of(script)
    return str(caught.value)


class Repeated(io.RawIOBase):
    """A stream of a piece over and over between a beginning and an end, as long as wanted and never in memory."""

    def __init__(self, beginning: bytes, piece: bytes, *, length: int, end: bytes) -> None:
        self._pieces = itertools.chain([beginning], itertools.repeat(piece, length // len(piece)), [end])
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._pieces, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


HIDING_PLACES = {
    "nothing": "",
    "line comment": f"-- it's \"; {DECOY.splitlines()[0]}\n",
    "comment that ends the line of a statement": "SELECT 1 -- it's $$ /*\n;",
    "nested comment": f"/* /* it's */ $$ ; {DECOY} */\n",
    "comment with slashes and stars": "/* **/ /***/ SELECT 4/2*3, 1 - -1, 7-2;\n",
    "string": f"SELECT 'it''s; {DECOY} -- \" $$ /*';\n",
    "string that ends in a backslash": "SELECT 'C:\\';\n",
    "string with escapes": f"SELECT E'it\\'s; {DECOY}', e'\\\\', E'a''\\'b';\n",
    "string after a name that ends in e": "SELECT date'2010-01-01\\', namee'\\', éE'\\', a$E'\\';\n",
    "empty strings": "SELECT '', E'', \"\", '''', E'''', '';\n",
    "unicode and national strings": "SELECT U&'\\0441\\', N'it''s;', B'01', X'1F';\n",
    "quoted name": f'SELECT 1 AS "it\'s ""; {DECOY} $$";\n',
    "dollar quotes": f"DO $$ BEGIN PERFORM 'it; {DECOY} END $$;\n",
    "dollar quotes with a tag": f"CREATE FUNCTION f() RETURNS text AS $_$ $$ {DECOY} $$ it's $ $_ $_$ LANGUAGE sql;\n",
    "dollar quotes with a long tag": f"SELECT $é{'x' * 61}$ it's; {DECOY} $é{'x' * 61}$;\n",
    "dollars in names": 'SELECT a$b$, "c"."d$$", é$$ FROM t$1$u;\n',
    "parameters": "PREPARE p AS SELECT $1, $2;EXECUTE p(1,$$it's$$);\n",
    "commands to psql": "\\restrict kYt'8\n\\! touch it's; $$ \"\n  \\echo '\nSELECT 1; \\c it's\n\\unrestrict kYt'8\n",
    "empty statements": ";;\n ; \n;",
    "byte order mark": "\ufeff",
    "byte order mark and command to psql": "\ufeff\\restrict it's\n",
    "blank lines": "\n\n   \n\t\n\r\n",
    "strings in which backslashes escape": (
        f"SET standard_conforming_strings = off;\nSELECT 'it\\'s; {DECOY}', E'\\'', '\\\\', 'a''b';\n"
        "SET standard_conforming_strings = on;\nSELECT '\\';\n"
    ),
    "block of another table": "COPY public.other (a, b) FROM stdin;\nit's $$ /* \"\t;\n\\.\n",
    "block of another table whose lines look like ours": f"COPY other (a) FROM stdin;\n{BLOCK}",
    "empty block of another table": "COPY other (a) FROM stdin;\n\\.\n",
    "block of another table with options": "COPY other (a) FROM stdin WITH (FORMAT csv);\n\"it's\n\\.\n",
    "copies that carry no lines": (
        "COPY retail FROM PROGRAM 'cat';\nCOPY retail TO stdout;\nCOPY retail FROM '/etc/passwd';\n"
    ),
    "inserts into another table": "INSERT INTO public.other VALUES (1, 'INSERT INTO retail');\n" * 3,
    "names that begin or end like ours": (
        'COPY retail2 (a) FROM stdin;\n\\.\nCOPY "a.retail" (a) FROM stdin;\n\\.\nCOPY retail.x (a) FROM stdin;\n\\.\n'
        'COPY "Retail" (a) FROM stdin;\n\\.\nCOPY "retail""; --" (a) FROM stdin;\n\\.\n'
        'INSERT INTO "retail "(a)VALUES(1);\n'
    ),
}


@pytest.mark.parametrize("before", HIDING_PLACES.values(), ids=HIDING_PLACES.keys())
def test_the_lines_are_found_whatever_stands_before(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text that looks like the end of a statement or like a block is passed over, however the file is cut in chunks."""
    first_line = before.count("\n") + 2
    for size in [sql_dump.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(sql_dump, "CHUNK_BYTES", size)
        assert blocks_of(before + BLOCK + "SELECT 1;\n") == [(first_line, CANONICAL_COLUMNS, LINES.encode())], size


@pytest.mark.parametrize(
    "statement",
    [
        f"COPY retail ({COLUMNS}) FROM stdin;",
        f"copy RETAIL({COLUMNS.upper()})from STDIN;",
        f'COPY "public"."retail" ({", ".join(f""""{name}" """ for name in CANONICAL_COLUMNS)}) FROM stdin;',
        f'COPY "it\'s; ""x"" (y)" . retail ({COLUMNS}) FROM stdin;',
        f"COPY\n/* of */ a.b.retail -- the lines\n({COLUMNS}\n)\tFROM\n  stdin ; -- it's",
        f"COPY/* of */retail--the lines\n({COLUMNS})FROM--it's\nstdin/* */;",
        f"SELECT 1; COPY retail ({COLUMNS}) FROM stdin;",
    ],
)
def test_the_table_is_known_by_its_name_in_any_schema(statement: str) -> None:
    """Quotes, case, blanks and comments are those of SQL."""
    assert blocks_of(f"{statement}\n{LINES}\\.\n") == [(statement.count("\n") + 2, CANONICAL_COLUMNS, LINES.encode())]


def test_columns_come_in_any_order_and_under_any_of_their_names() -> None:
    """The columns of a block are the canonical ones, and None for what is none of them."""
    script = (
        'COPY retail (country, "Customer ID", id, "InvoiceDate", price, "odd ""name"", (really)", quantity, '
        "description, stockcode, invoice) FROM stdin;\n\\.\n"
    )
    ((_, columns, _),) = blocks_of(script)
    assert columns == (
        *("country", "customer_id", None, "invoice_date", "unit_price", None),
        *("quantity", "description", "stock_code", "invoice_no"),
    )


def test_every_block_of_the_table_is_found_with_its_first_line() -> None:
    """Blocks of other tables, empty blocks and other columns between them make no difference."""
    other = "COPY other (a) FROM stdin;\n1\n2\n\\.\n"
    script = f"--\n{BLOCK}{other}{COPY}\\.\n{COPY.replace('(', '(id, ')}x\n\\.\n{other}{BLOCK}"
    assert blocks_of(script) == [
        (3, CANONICAL_COLUMNS, LINES.encode()),
        (11, CANONICAL_COLUMNS, b""),
        (13, (None, *CANONICAL_COLUMNS), b"x\n"),
        (20, CANONICAL_COLUMNS, LINES.encode()),
    ]


def test_windows_line_breaks_stay_in_the_lines() -> None:
    """COPY itself understands them; only the end of the block has to be seen."""
    script = ("-- a\n" + BLOCK + "\n" + BLOCK).replace("\n", "\r\n")
    lines = LINES.replace("\n", "\r\n").encode()
    assert blocks_of(script) == [(3, CANONICAL_COLUMNS, lines), (8, CANONICAL_COLUMNS, lines)]


def test_only_a_line_of_its_own_ends_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """What merely contains the end mark is data, and PostgreSQL's to judge."""
    data = "a\\.\n\\.b\n\\\\.\n \\.\n\\. \n\n"
    for size in [sql_dump.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(sql_dump, "CHUNK_BYTES", size)
        assert blocks_of(f"{COPY}{data}\\.\n{BLOCK}")[0][2] == data.encode()


def test_the_last_line_of_the_file_needs_no_line_break() -> None:
    """The end mark counts also where the file ends right after it."""
    assert blocks_of(BLOCK.rstrip("\n")) == blocks_of(BLOCK.rstrip("\n") + "\r") == blocks_of(BLOCK)


def test_a_block_that_nobody_reads_is_passed_over() -> None:
    """The next block is found even if a reader leaves the one before half read."""
    script = f"{COPY}{'x' * 100}\n\\.\n{BLOCK}"
    dump = sql_dump.parse(Path("retail.sql"), io.BytesIO(script.encode()))
    next(dump.blocks)
    assert b"".join(next(dump.blocks).chunks) == LINES.encode()


@pytest.mark.parametrize("encoding", ["UTF8", "utf-8", "LATIN1", "ISO-8859-15", "WIN1252", "EUC_JP", "KOI8R"])
def test_the_encoding_is_the_one_that_the_script_sets(encoding: str) -> None:
    """Each block carries the encoding in force where it stands, UTF-8 unless the script says otherwise."""
    script = f"{BLOCK}SET client_encoding = '{encoding}';\n{BLOCK}SET client_encoding TO utf8;\n{BLOCK}"
    dump = sql_dump.parse(Path("retail.sql"), io.BytesIO(script.encode()))
    assert [block.encoding for block in dump.blocks] == ["UTF8", encoding, "utf8"]


FRAGMENTS = [
    *(
        "'",
        '"',
        "$",
        "$$",
        "$a$",
        "$é1$",
        "E'",
        "e",
        "\\",
        "\\'",
        "''",
        '""',
        "--",
        "-",
        "/",
        "/*",
        "*/",
        "*",
        ";",
        "1",
    ),
    *("\n", "\r\n", " ", "\t", "\\.", "\\.\n", "\n\\.\n", "\n\\.\r\n", "\\!", "é", "x", "retail", "(", ")", ","),
    *(
        COPY,
        BLOCK,
        "COPY other (a) FROM stdin;\n",
        "COPY retail",
        "INSERT INTO other ",
        "INSERT INTO retail ",
        "\ufeff",
    ),
    *("SET standard_conforming_strings = off;", "SET standard_conforming_strings = on;", "FROM stdin", "(invoice_no, "),
    *("SET client_encoding = 'LATIN1';", "SET client_encoding = 'SJIS';"),
]


@settings(derandomize=True, deadline=None, max_examples=1500)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join), st.integers(1, 64), st.booleans())
def test_the_size_of_chunks_makes_no_difference(script: str, size: int, ends_in_a_block: bool) -> None:
    """Any script, sense or nonsense, gives the same blocks, or the same error, whatever the chunks it is read in."""
    script += BLOCK if ends_in_a_block else ""
    with pytest.MonkeyPatch.context() as patch:
        whole = outcome(script)
        patch.setattr(sql_dump, "CHUNK_BYTES", size)
        assert outcome(script) == whole


@settings(derandomize=True, deadline=None, max_examples=500)
@given(
    st.lists(
        st.text(st.sampled_from("ab\t\\.N\r\"'$;-é"), max_size=12).filter(lambda line: line.rstrip("\r") != "\\.")
    ),
    st.integers(1, 64),
)
def test_a_block_is_handed_out_byte_for_byte(lines: list[str], size: int) -> None:
    """Chunks may end anywhere, also within an end mark or a character; together they are the bytes of the block."""
    data = "".join(f"{line}\n" for line in lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql_dump, "CHUNK_BYTES", size)
        found = blocks_of(f"{COPY}{data}\\.\n{BLOCK}")
    assert found == [(2, CANONICAL_COLUMNS, data.encode()), (len(lines) + 4, CANONICAL_COLUMNS, LINES.encode())]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("", "retail.sql: no COPY block of the table retail. Tables with data in the file: none."),
        (
            'COPY a.invoices (a) FROM stdin;\n\\.\nINSERT INTO users VALUES (1);\nCOPY "Retail" (a) FROM stdin;\n\\.\n',
            "retail.sql: no COPY block of the table retail. Tables with data in the file: Retail, invoices, users.",
        ),
        (
            f"--\n\nCOPY public.retail ({COLUMNS.replace(', unit_price', '')}, id) FROM stdin;\n",
            "retail.sql, line 3: no column unit_price. Found: invoice_no, stock_code, description, quantity, "
            "invoice_date, customer_id, country, id.",
        ),
        (
            f'COPY retail ({COLUMNS}, "Price", "Unit Price") FROM stdin;\n',
            "retail.sql, line 1: more than one column for unit_price. Found: invoice_no, stock_code, description, "
            "quantity, invoice_date, unit_price, customer_id, country, Price, Unit Price.",
        ),
        (
            "SELECT 1;\n\nINSERT INTO public.retail (a)\nVALUES (1);\n",
            "retail.sql, line 3: the lines of retail come as INSERT statements; expected COPY blocks, "
            "as pg_dump writes them without --inserts.",
        ),
        (
            f"{BLOCK}INSERT INTO public.retail VALUES (1);",
            "retail.sql, line 5: the lines of retail come as INSERT statements; expected COPY blocks, "
            "as pg_dump writes them without --inserts.",
        ),
        (
            f"COPY retail ({COLUMNS}) FROM stdin WITH (FORMAT csv);\n",
            "retail.sql, line 1: expected COPY without options, found WITH (FORMAT csv).",
        ),
        (
            "\nCOPY retail FROM stdin;\n",
            "retail.sql, line 2: this COPY does not name its columns, so their order is not known.",
        ),
        (
            "COPY BINARY retail FROM stdin;\n",
            "retail.sql, line 1: this COPY is not understood: COPY BINARY retail FROM stdin",
        ),
        (
            f"{BLOCK}COPY archive.retail ({COLUMNS}) FROM stdin;\n\\.\n",
            "retail.sql, line 5: expected one table, found archive.retail and public.retail.",
        ),
        (
            f"--\n{COPY}{LINES}",
            "retail.sql: cut off: the file ends within the data that begins in line 3; expected a line \\. after it. "
            "Fetch the file again.",
        ),
        (
            "COPY other (a) FROM stdin;\n1\n",
            "retail.sql: cut off: the file ends within the data that begins in line 2; expected a line \\. after it. "
            "Fetch the file again.",
        ),
        (
            f"{BLOCK}\nSELECT 'it\n",
            "retail.sql, line 6: cut off: this quotation never ends. Fetch the file again.",
        ),
        ("/* a\n/* b */\n", "retail.sql, line 1: cut off: this comment never ends. Fetch the file again."),
        (
            "SET client_encoding = 'SJIS';\n" + BLOCK,
            "retail.sql, line 1: the encoding SJIS is not read. Write it with pg_dump --encoding=UTF8.",
        ),
        (
            b"PGDMP\x01\x10\x00",
            "retail.sql: an archive of pg_dump; expected plain SQL. pg_restore --file turns it into that.",
        ),
        (BLOCK.encode("utf-16"), "retail.sql: the text is UTF-16; expected UTF-8, as pg_dump --file writes it."),
    ],
)
def test_a_script_that_holds_no_readable_lines_is_refused(script: str | bytes, said: str) -> None:
    """The error names the file, the line, what was expected and what is there."""
    assert refusal(script) == said


def test_the_dump_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    """Whoever opens a script without the table learns of it before asking for a block."""
    (tmp_path / "a.sql").write_text("SELECT 1;\n")
    with pytest.raises(DumpError, match="no COPY block of the table retail"), open_dump(tmp_path / "a.sql"):
        pass


def test_errors_stay_short() -> None:
    """A file of many tables, or of names without end, does not become a message without end."""
    many = "".join(f"COPY t{number}{'t' * 500} (a) FROM stdin;\n\\.\n" for number in range(1000))
    assert len(refusal(many)) < 2000
    assert len(refusal(f"COPY retail ({COLUMNS}) FROM stdin WITH {'x' * 5000};\n")) < 500
    assert len(refusal(f"COPY BINARY {'x' * 5000} FROM stdin;\n")) < 500


LONG_BYTES = 32 << 20
FEW_BYTES = 8 << 20
ENDLESS = {
    "statement": (b"SELECT 1", b", 1", b";\n"),
    "statement of strings": (b"INSERT INTO other VALUES (''", b", 'it''s; '", b");\n"),
    "string": (b"SELECT '", b"x", b"';\n"),
    "string with escapes": (b"SELECT E'", b"x" * 500 + b"\\'", b"';\n"),
    "name": (b"SELECT ", b"x", b";\n"),
    "quoted name": (b'INSERT INTO "', b"x", b'" VALUES (1);\n'),
    "dollar tag": (b"SELECT $", b"x", b";\n"),
    "dollar quotes": (b"SELECT $x$", b"$x", b"$x$;\n"),
    "comment": (b"/* ", b"x", b"*/"),
    "line comment": (b"-- ", b"x", b"\n"),
    "command to psql": (b"\\echo ", b"x", b"\n"),
    "blanks": (b"", b" ", b"\n"),
    "line of another table": (b"COPY other (a) FROM stdin;\n", b"x", b"\n\\.\n"),
    "block of another table": (b"COPY other (a) FROM stdin;\n", b"1\t2\tx\n", b"\\.\n"),
}


def with_peak_memory(script: io.RawIOBase) -> tuple[list[bytes] | str, int]:
    """The bytes of each block, or the error, and how much memory it took at most."""
    tracemalloc.start()
    try:
        dump = sql_dump.parse(Path("retail.sql"), io.BufferedReader(script))
        return [b"".join(block.chunks) for block in dump.blocks], tracemalloc.get_traced_memory()[1]
    except DumpError as error:
        return str(error), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("parts", ENDLESS.values(), ids=ENDLESS.keys())
def test_memory_does_not_grow_with_the_script(parts: tuple[bytes, bytes, bytes]) -> None:
    """32 MB of whatever kind are passed over in a few, and the lines behind them are found."""
    beginning, piece, end = parts
    script = Repeated(beginning, piece * (4096 // len(piece)), length=LONG_BYTES, end=end + BLOCK.encode())
    lines, peak = with_peak_memory(script)
    assert lines == [LINES.encode()]
    assert peak < FEW_BYTES


@pytest.mark.parametrize("quote", [b"", b'"'])
def test_a_copy_whose_name_never_ends_is_refused(quote: bytes) -> None:
    """Its data could not be told from statements, and its name is not kept in memory either."""
    end = quote + b" (a) FROM stdin;\nit's\n\\.\n"
    said, peak = with_peak_memory(Repeated(b"COPY " + quote, b"x" * 4096, length=LONG_BYTES, end=end))
    assert str(said).startswith("retail.sql, line 1: this COPY is not understood: COPY ")
    assert len(said) < 500
    assert peak < FEW_BYTES


def test_a_line_without_end_is_refused() -> None:
    """The server would collect a line of any length in memory; no invoice line is that long."""
    stream = Repeated(f"{BLOCK}{COPY}1\t".encode(), b"x" * 4096, length=LONG_BYTES, end=b"\n\\.\n")
    dump = sql_dump.parse(Path("retail.sql"), io.BufferedReader(stream))
    with pytest.raises(DumpError, match=r"retail.sql, line 6: the line is longer than 16,777,216 bytes"):
        next(dump.blocks), next(dump.blocks), next(dump.blocks)


def test_long_lines_and_many_lines_are_fine() -> None:
    """The limit is one of a single line: what comes before it in the block does not count."""
    line = b"x" * (10 << 20) + b"\n"
    stream = Repeated(COPY.encode(), line, length=3 * len(line), end=b"\\.\n")
    dump = sql_dump.parse(Path("retail.sql"), io.BufferedReader(stream))
    assert sum(len(chunk) for block in dump.blocks for chunk in block.chunks) == 3 * len(line)


@pytest.mark.parametrize(
    "statement",
    [
        f"COPY t{' ' * 200_000}x;",
        f"COPY {'a.' * 100_000}1;",
        f"COPY t ({'a, ' * 60_000}1;",
        f"COPY t {'FROM ' * 50_000};",
        f"COPY t (a) FROM{' ' * 200_000}x;",
        f"INSERT INTO{' ' * 200_000};",
        f"SET client_encoding{' ' * 200_000}x;",
        f'COPY {"x" * 100_000}"{"y" * 100_000};";',
    ],
    ids=lambda statement: statement[:16].strip(),
)
def test_time_does_not_grow_with_the_square_of_a_statement(statement: str) -> None:
    """Read or refused, it is so at once; patterns that try every way to split a text would need minutes."""
    began = time.perf_counter()
    outcome(f"{statement}\n{BLOCK}")
    assert time.perf_counter() - began < 5
