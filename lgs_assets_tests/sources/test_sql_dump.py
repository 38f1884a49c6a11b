"""The walk through an SQL script: it finds the lines of `retail`, every one and no other, and nothing is run."""

import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets.errors import DumpError
from lgs_assets.sources import Batch, open_dump, sql_script
from lgs_assets_tests.sources.reading import (
    COLUMNS,
    COPY,
    GOOD,
    INSERT,
    LANTERN,
    ROW,
    Values,
    endless,
    outcome,
    read,
    refusal,
)  # fmt: skip

LINES = GOOD * 2
BLOCK = f"{COPY}{LINES}\\.\n"
DECOY = "COPY retail FROM stdin;\nnot a line\n\\.\n"
CHUNK_SIZES = [1, 2, 3, 7, 64, 1000]


def lanterns(first_line: int, count: int = 2) -> dict[int, Values]:
    return {first_line + at: LANTERN for at in range(count)}


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
    "dollar quotes": f"SELECT $$ BEGIN PERFORM 'it; {DECOY} END $$;\n",
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
        "COPY other FROM PROGRAM 'cat';\nCOPY retail TO stdout;\nCOPY retail (price) TO '/tmp/x';\n"
    ),
    "inserts into another table": "INSERT INTO public.other VALUES (1, 'INSERT INTO retail');\n" * 3,
    "inserts of a routine": "CREATE FUNCTION f() RETURNS void BEGIN ATOMIC\n INSERT INTO retail VALUES (1);\nEND;\n",
    "rule": "CREATE RULE r AS ON INSERT TO other DO ALSO INSERT INTO retail VALUES (new.a, 'x;');\n",
    "names that begin or end like ours": (
        'COPY retail2 (a) FROM stdin;\n\\.\nCOPY "a.retail" (a) FROM stdin;\n\\.\nCOPY retail.x (a) FROM stdin;\n\\.\n'
        'COPY "retail""; --" (a) FROM stdin;\n\\.\n'
        'INSERT INTO "retail "(a)VALUES(1);\n'
    ),
}


@pytest.mark.parametrize("before", HIDING_PLACES.values(), ids=HIDING_PLACES.keys())
def test_the_lines_are_found_whatever_stands_before(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text that looks like the end of a statement or like a block is passed over, however the file is cut in chunks."""
    first_line = before.count("\n") + 2
    inserted = f"{INSERT}{ROW},\n{ROW};\n"
    for size in [sql_script.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(sql_script, "CHUNK_BYTES", size)
        assert read(before + BLOCK + "SELECT 1;\n")[:2] == (lanterns(first_line), []), size
        assert read(before + inserted + "SELECT 1;\n")[:2] == (lanterns(first_line - 1), []), size


@pytest.mark.parametrize(
    "statement",
    [
        f"COPY retail ({COLUMNS}) FROM stdin;",
        f"copy RETAIL({COLUMNS.upper()})from STDIN;",
        f'COPY "public"."retail" ({", ".join(f""""{name}" """ for name in COLUMNS.split(", "))}) FROM stdin;',
        f'COPY "it\'s; ""x"" (y)" . retail ({COLUMNS}) FROM stdin;',
        f'COPY "public"."Retail" ({COLUMNS}) FROM stdin;',
        f"COPY\n/* of */ a.b.retail -- the lines\n({COLUMNS}\n)\tFROM\n  stdin ; -- it's",
        f"COPY/* of */retail--the lines\n({COLUMNS})FROM--it's\nstdin/* */;",
        f"SELECT 1; COPY retail ({COLUMNS}) FROM stdin;",
        f"CREATE TABLE retail ({', '.join(f'{name} text' for name in COLUMNS.split(', '))}); COPY retail FROM stdin;",
    ],
)
def test_the_table_is_known_by_its_name_in_any_schema(statement: str) -> None:
    """Quotes, case, blanks and comments are those of SQL."""
    assert read(f"{statement}\n{LINES}\\.\n")[:2] == (lanterns(statement.count("\n") + 2), [])


def test_columns_come_in_any_order_and_others_are_left_out() -> None:
    """Each by any of its names; columns left out are stated."""
    script = (
        'COPY retail (country, "Customer ID", id, "InvoiceDate", price, "odd ""name"", (really)", quantity, '
        "description, stockcode, invoice) FROM stdin;\n"
        "United Kingdom\t17850\t1\t2010-12-01 08:26:00\t2.55\t\\\\\\N\t6\tLANTERN\t85123A\t536365\n\\.\n"
    )
    found = read(script)
    assert found.good == lanterns(2, 1)
    assert found.facts["columns left out"] == 'id, odd "name", (really)'
    assert found.facts["columns"].startswith(
        "country, Customer ID as customer_id, InvoiceDate as invoice_date, price as"
    )


def test_every_block_of_the_table_is_found_with_its_first_line() -> None:
    """Blocks of other tables, empty blocks and other columns between them make no difference; the tables are stated."""
    other = "COPY other (a) FROM stdin;\n1\n2\n\\.\n"
    script = f"--\n{BLOCK}{other}{COPY}\\.\n{COPY.replace('(', '(id, ')}x\t{GOOD}\\.\n{other}{BLOCK}"
    found = read(script)
    assert found.good == lanterns(3) | lanterns(13, 1) | lanterns(20)
    assert found.facts["tables left out"] == "other"


@pytest.mark.parametrize(
    "packed", [BLOCK, f"{INSERT}{ROW}, {ROW};\n{BLOCK}", f"{INSERT}{ROW}, {ROW}, {ROW};{INSERT}{ROW};"]
)
def test_no_two_lines_have_one_number(packed: str) -> None:
    """If a line holds several rows, each takes the next free number, and so do the lines after them."""
    found = read(packed)
    assert list(found.good) == list(range(min(found.good), min(found.good) + packed.count("536365")))


def test_windows_line_breaks_are_no_part_of_the_lines() -> None:
    """The numbers stay."""
    script = ("-- a\n" + BLOCK + "\n" + BLOCK).replace("\n", "\r\n")
    assert read(script)[:2] == (lanterns(3) | lanterns(8), [])


def test_only_a_line_of_its_own_ends_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """What merely contains the end mark is a line, if a bad one."""
    data = "a\\.\n\\.b\n\\\\.\n \\.\n\\. \n\n"
    for size in [sql_script.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(sql_script, "CHUNK_BYTES", size)
        found = read(f"{COPY}{data}\\.\n{BLOCK}")
        assert [reject.text for reject in found.rejects] == data.split("\n")[:-1]
        assert found.good == lanterns(10)


def test_the_last_line_of_the_file_needs_no_line_break() -> None:
    """The end mark counts also where the file ends right after it."""
    assert read(BLOCK.rstrip("\n")) == read(BLOCK.rstrip("\n") + "\r") == read(BLOCK)


@pytest.mark.parametrize(
    "encoding", ["UTF8", "utf-8", "UNICODE", "LATIN1", "ISO-8859-15", "WIN1252", "EUC_JP", "KOI8R"]
)
def test_the_encoding_is_the_one_that_the_script_sets(encoding: str) -> None:
    """Each block is read in the encoding in force at its place."""
    codec = {"UNICODE": "utf-8", "WIN1252": "cp1252", "KOI8R": "koi8-r"}.get(encoding, encoding)
    word = "Жук" if encoding in ("KOI8R", "EUC_JP") else "café"
    block = (COPY + GOOD.replace("LANTERN", word) + "\\.\n").encode(codec)
    script = f"SET client_encoding = '{encoding}';\n".encode() + block + b"SET client_encoding TO utf8;\n"
    found = read(script + block.decode(codec).encode())
    assert [line[2] for line in found.good.values()] == [word, word]


def test_an_encoding_that_is_not_set_is_seen() -> None:
    """UTF-8 if it is valid, otherwise that of Windows; a stray byte in UTF-8 stays one."""
    block = COPY + GOOD.replace("LANTERN", "café") + "\\.\n"
    for encoding in ("utf-8", "cp1252"):
        found = read(block.encode(encoding))
        assert (found.good[2][2], found.facts["encoding"]) == ("café", encoding)
    stray = COPY + GOOD.replace("LANTERN", "café") + GOOD.replace("LANTERN", "%") + "\\.\n"
    found = read(stray.encode().replace(b"%", b"\xa3"))
    assert (list(found.good), [reject.line for reject in found.rejects]) == ([2], [3])
    blind = "SET client_encoding = 'SQL_ASCII';\n" + block
    assert read(blind.encode("cp1252")).good[3][2] == "café"


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
        INSERT,
        ROW,
        "GO\n",
        "INSERT [dbo].[other] ([a]) VALUES (1)\n",
        "CREATE PROC p AS ",
        "\ufeff",
    ),
    *("SET standard_conforming_strings = off;", "SET standard_conforming_strings = on;", "FROM stdin", "(invoice_no, "),
    *("SET client_encoding = 'LATIN1';", "SET client_encoding = 'SJIS';"),
    *(
        "-- MySQL dump\n",
        "DELIMITER //\n",
        "delimiter $$\n",
        "DELIMITER ;\n",
        "//",
        "/*!40000 ",
        "/*!50003 CREATE*/",
        "#",
        "`",
    ),
    *("CREATE TRIGGER t BEGIN ", "CREATE RULE r AS (", " BEGIN ", "END;", "USE a;", "USE `b`;", "DELETE FROM retail;"),
    *("BEGIN;", "COMMIT;", "ROLLBACK;", "ROLLBACK TO a;", "SAVEPOINT a;", "SET search_path = a;", "unistr('a')"),
]


@settings(derandomize=True, deadline=None, max_examples=1500)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join), st.integers(1, 64), st.booleans())
def test_the_size_of_chunks_makes_no_difference(script: str, size: int, ends_in_a_block: bool) -> None:
    """Any script, sense or nonsense, gives the same lines, or the same error, whatever the chunks it is read in."""
    script = "--\n" + script + (BLOCK if ends_in_a_block else "")
    with pytest.MonkeyPatch.context() as patch:
        whole = outcome(script)
        patch.setattr(sql_script, "CHUNK_BYTES", size)
        assert outcome(script) == whole


@settings(derandomize=True, deadline=None, max_examples=500)
@given(
    st.lists(st.text(st.sampled_from("ab\t\\.N\"'$;-é"), max_size=12).filter(lambda line: line != "\\.")),
    st.integers(1, 64),
)
def test_a_block_is_handed_out_line_for_line(lines: list[str], size: int) -> None:
    """Chunks may end anywhere, also within an end mark or a character: every line comes out, as it went in."""
    data = "".join(f"{line}\n" for line in lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql_script, "CHUNK_BYTES", size)
        found = read(f"{COPY}{data}\\.\n{BLOCK}")
    assert [(reject.line, reject.text) for reject in found.rejects] == list(enumerate(lines, 2))
    assert found.good == lanterns(len(lines) + 4)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            'COPY a.invoices (a) FROM stdin;\n\\.\nINSERT INTO users VALUES (1);\nCOPY "Shop" (a) FROM stdin;\n\\.\n',
            ": no data of a table retail. Tables with data in the file: Shop, invoices, users.",
        ),
        (
            f"--\n\nCOPY public.retail ({COLUMNS.replace(', unit_price', '')}, id) FROM stdin;\n",
            ", line 3: no column unit_price. Found: invoice_no, stock_code, description, quantity, "
            "invoice_date, customer_id, country, id.",
        ),
        (
            f'COPY retail ({COLUMNS}, "Price", "Unit Price") FROM stdin;\n',
            ", line 1: more than one column for unit_price. Found: invoice_no, stock_code, description, "
            "quantity, invoice_date, unit_price, customer_id, country, Price, Unit Price.",
        ),
        (
            "SELECT 1;\n\nINSERT INTO public.retail (a)\nSELECT 1;\n",
            ", line 3: expected rows of VALUES or a COPY block, found INSERT INTO public.retail (a)\nSELECT 1",
        ),
        (
            f"{BLOCK}WITH x AS (SELECT 1) {INSERT}{ROW};",
            ", line 5: expected rows of VALUES or a COPY block, found WITH x AS (SELECT 1) INSERT INTO public.retail "
            "(invoice_no, sto",
        ),
        (
            f"{BLOCK}{INSERT.replace('INSERT', 'INSFRT')}{ROW};",
            ", line 5: expected rows of VALUES or a COPY block, found INSFRT INTO public.retail (invoice_no, "
            "stock_code, description,",
        ),
        (
            f"COPY retail ({COLUMNS}) FROM stdin WITH (FORMAT csv);\n",
            ", line 1: expected COPY without options, found WITH (FORMAT csv).",
        ),
        (
            "\nCOPY retail FROM stdin;\n",
            ", line 2: the columns are named neither here nor in an earlier CREATE TABLE, so their order is not known.",
        ),
        ("COPY BINARY retail FROM stdin;\n", ", line 1: cannot read this COPY: COPY BINARY retail FROM stdin"),
        (
            f"{BLOCK}COPY archive.retail ({COLUMNS}) FROM stdin;\n\\.\n",
            ", line 5: expected one table, found archive.retail and public.retail.",
        ),
        (
            f"--\n{COPY}{LINES}",
            ": cut off: the file ends within the data that begins in line 3; expected a line \\. after it. "
            "Fetch the file again.",
        ),
        (
            "COPY other (a) FROM stdin;\n1\n",
            ": cut off: the file ends within the data that begins in line 2; expected a line \\. after it. "
            "Fetch the file again.",
        ),
        (f"{BLOCK}\nSELECT 'it\n", ", line 6: cut off: this quotation never ends. Fetch the file again."),
        ("/* a\n/* b */\n", ", line 1: cut off: this comment never ends. Fetch the file again."),
        (
            "SET client_encoding = 'SJIS';\n" + BLOCK,
            ", line 1: the encoding SJIS is not supported. Write the dump with pg_dump --encoding=UTF8.",
        ),
        (b"PGDMP\x01\x10\x00", ": a pg_dump archive; expected plain SQL. Convert it with pg_restore --file."),
    ],
)
def test_a_script_that_holds_no_readable_lines_is_refused(script: str | bytes, said: str) -> None:
    """The error names the file, the line, what was expected and what was found."""
    assert refusal(script) == f"a dump{said}"


@pytest.mark.parametrize(
    "script",
    [
        'INSERT INTO "x\x1b[2Jy" VALUES (1);',
        'COPY "x\x1b[2Jy" (a) FROM stdin;\n\\.\n',
        'COPY retail ("x\x1b[2Jy") FROM stdin;\n\\.\n',
        f'{BLOCK}COPY "x\x1b[2Jy".retail ({COLUMNS}) FROM stdin;\n\\.\n',
        "COPY BINARY \x1b[2J FROM stdin;\n",
        "INSERT INTO retail SELECT '\x1b[2J\u202e';\n",
        f"COPY retail ({COLUMNS}) FROM stdin WITH \x1b[2J;\n",
    ],
)
def test_what_an_error_quotes_commands_no_terminal(script: str) -> None:
    """Names and statements are shown, with their control characters escaped."""
    said = refusal(f"--\n{script}")
    assert "\\x1b[2J" in said
    assert "\x1b" not in said
    assert "\u202e" not in said
    found = read(f'--\n{BLOCK}INSERT INTO "x\x1b[2Jy" VALUES (1);\n')
    assert found.facts["tables left out"] == "x\\x1b[2Jy"


def test_errors_stay_short() -> None:
    """A file of many tables, or of names without end, does not become a message without end."""
    many = "".join(f"COPY t{number}{'t' * 500} (a) FROM stdin;\n\\.\n" for number in range(1000))
    assert len(refusal(many)) < 2000
    assert len(refusal(f"COPY retail ({COLUMNS}) FROM stdin WITH {'x' * 5000};\n")) < 500
    assert len(refusal(f"COPY BINARY {'x' * 5000} FROM stdin;\n")) < 500
    assert len(refusal(f"{BLOCK}{INSERT.replace('public', 'x' * 5000)}{ROW};\n")) < 1000


LONG_BYTES = 16 << 20
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
    "rows of another table": (b"INSERT INTO other VALUES (1)", b", (2, 'x')", b";\n"),
    "block of another table": (b"COPY other (a) FROM stdin;\n", b"1\t2\tx\n", b"\\.\n"),
}


def with_peak_memory(path: Path) -> tuple[int | str, int]:
    """How many good lines there are, or the error, and how much memory it took at most."""
    tracemalloc.start()
    try:
        with open_dump(path) as dump:
            lines = sum(piece.lines if isinstance(piece, Batch) else 0 for piece in dump.pieces)
        return lines, tracemalloc.get_traced_memory()[1]
    except DumpError as error:
        return str(error), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("parts", ENDLESS.values(), ids=ENDLESS.keys())
def test_memory_does_not_grow_with_the_script(parts: tuple[bytes, bytes, bytes]) -> None:
    """16 MB of whatever kind are passed over in a few, and the lines behind them are found."""
    beginning, piece, end = parts
    lines, peak = with_peak_memory(endless(b"--\n" + beginning, piece, length=LONG_BYTES, end=end + BLOCK.encode()))
    assert lines == 2
    assert peak < FEW_BYTES


@pytest.mark.parametrize("separator", [b",\n", b";\n" + INSERT.encode()])
def test_memory_does_not_grow_with_the_rows(separator: bytes) -> None:
    """In one INSERT or in many."""
    piece = ROW.encode() + separator
    script = endless(INSERT.encode(), piece, length=FEW_BYTES, end=ROW.encode() + b";")
    lines, peak = with_peak_memory(script)
    assert isinstance(lines, int) and lines > FEW_BYTES // 300
    assert peak < FEW_BYTES // 2


@pytest.mark.parametrize("quote", [b"", b'"'])
def test_a_copy_whose_name_never_ends_is_refused(quote: bytes) -> None:
    """Its data could not be told from statements, and its name is not kept in memory either."""
    end = quote + b" (a) FROM stdin;\nit's\n\\.\n"
    said, peak = with_peak_memory(endless(b"COPY " + quote, b"x", length=LONG_BYTES, end=end))
    assert str(said).startswith("a dump, line 1: cannot read this COPY: COPY ")
    assert len(str(said)) < 500
    assert peak < FEW_BYTES


def test_a_line_without_end_is_refused() -> None:
    """No invoice line is that long, and it must not fill the memory."""
    said, _ = with_peak_memory(endless(f"{BLOCK}{COPY}1\t".encode(), b"x", length=2 * LONG_BYTES, end=b"\n\\.\n"))
    assert said == "a dump, line 6: the line is longer than 16,777,216 bytes."


def test_long_lines_and_long_rows_are_rejected_alone() -> None:
    """No text of an invoice line is that long. The lines around it are good, in a block and in an INSERT."""
    long = "x" * (10 << 20)
    block = read(COPY + GOOD + GOOD.replace("LANTERN", long) * 2 + GOOD + "\\.\n")
    assert ([line[2] for line in block.good.values()], len(block.rejects)) == (["LANTERN"] * 2, 2)
    some, more = (ROW.replace("LANTERN", "it''s " * count) for count in (40_000, 50_000))
    found = read(f"{INSERT}{some}, {more}, {ROW};")
    assert [line[2] for line in found.good.values()] == ["LANTERN"]
    assert [reject.line for reject in found.rejects] == [1, 2]


@pytest.mark.parametrize(
    "statement",
    [
        f"COPY t{' ' * 200_000}x;",
        f"COPY {'a.' * 100_000}1;",
        f"COPY t ({'a, ' * 60_000}1;",
        f"COPY t {'FROM ' * 50_000};",
        f"COPY t (a) FROM{' ' * 200_000}x;",
        f"INSERT INTO{' ' * 200_000};",
        f"WITH {'INSERT ' * 30_000};",
        f"WITH {'retail VALUES ' * 15_000};",
        f"LOCK {'retail ' * 30_000};",
        f"LOCK {'VALUES ' * 30_000};",
        f"SET client_encoding{' ' * 200_000}x;",
        f'COPY {"x" * 100_000}"{"y" * 100_000};";',
        f"CREATE TABLE retail ({'(' * 200_000});",
        f"CREATE TABLE retail ({'a, ' * 60_000}b);",
        f"{INSERT}({'(' * 100_000}{')' * 100_000});",
        f"{INSERT}({'CAST (' * 30_000});",
        f"{INSERT}('{chr(92) * 100_000}');",
        f"{INSERT}({'E' * 100_000});",
        f"{INSERT}({'1' * 100_000});",
        f"{INSERT}({'1::a ' * 30_000});",
        f"{INSERT}{'(1),' * 50_000}(1);",
        f"{COPY}{chr(92) * 200_000}\n{chr(92) * 99_999}\t{chr(92) * 99_999}\n\\.\n",
        f"{COPY}{'a' * 200_000}\n{GOOD.replace('LANTERN', ' ' * 200_000)}\\.\n",
        f"{COPY}{GOOD.replace('2.55', '1' * 200_000)}{GOOD.replace('2010', '2' * 200_000)}\\.\n",
    ],
    ids=lambda statement: statement[:16].strip(),
)
def test_time_does_not_grow_with_the_square_of_a_statement(statement: str) -> None:
    """Read or refused, it is so at once; patterns that try every way to split a text would need minutes."""
    for script in (statement, f"GO\n{statement}"):
        began = time.perf_counter()
        outcome(f"--\n{script}\n{BLOCK}")
        assert time.perf_counter() - began < 5
