"""Rows of INSERTs: those of PostgreSQL, and those of the scripts that SQL Server's Management Studio writes."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lgs_assets.sources import sql_script
from lgs_assets_tests.sources.reading import COLUMNS, INSERT, LANTERN, ROW, outcome, read, refusal, typed

CHUNK_SIZES = [1, 2, 3, 5, 7, 64, 1000]
TABLE = "[dbo].[retail]"
HEAD = (
    f"INSERT {TABLE} ([Invoice], [StockCode], [Description], [Quantity], [InvoiceDate], [Price], [Customer ID], "
    "[Country])"
)
TSQL_ROW = (
    "(N'536365', N'85123A', N'LANTERN', 6, CAST(N'2010-12-01T08:26:00.000' AS DateTime), CAST(2.55 AS Decimal(18, 2)), "
    "17850, N'United Kingdom')"
)
TSQL = f"{HEAD} VALUES {TSQL_ROW}\n"


def row_with(description: str) -> str:
    return ROW.replace("'LANTERN'", description)


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("'it''s'", "it's"),
        ("''", None),
        ("'\\N'", None),
        ("'C:\\'", "C:\\"),
        ("'a\tb\nc\rd\\te'", "a\tb\nc\rd\\te"),
        ("NULL", None),
        ("null", None),
        ("'NULL'", None),
        ("''''", "'"),
        ("'), ('", "), ("),
        ("'); DROP TABLE dumps; --'", "'); DROP TABLE dumps; --"[1:]),
        ("85048", "85048"),
        ("N'£'", "£"),
        ("E'\\v\\N\\.\\'''\\\\\\t\\n\\x41\\101\\u00e9\\U0001F600\\\n'", "vN.''\\\t\nAAé😀\n"),
        ("'x'::text", "x"),
        ("'x' :: character varying (20) ::text", "x"),
        ("CAST('x' AS nvarchar(max))", "x"),
        ("/* it's */ 'x' -- (\n", "x"),
    ],
)  # fmt: skip
def test_a_value_means_what_postgresql_takes_it_for(written: str, meaning: str | None) -> None:
    """Quotes, escapes, casts and comments are those of SQL."""
    content = f"{INSERT}{ROW},\n{row_with(written)};\n{INSERT}{ROW};"
    found = read(content)
    assert not found.rejects
    assert [line[2] for line in found.good.values()] == ["LANTERN", meaning, "LANTERN"]


@pytest.mark.parametrize(
    ("setting", "written", "meaning"), [("off", r"'it\'s \\'", "it's \\"), ("on", r"'it\''s \'", r"it\'s \\"[:-1])]
)
def test_backslashes_mean_what_the_script_says(setting: str, written: str, meaning: str) -> None:
    """Servers of old have them escape in every text."""
    found = read(f"SET standard_conforming_strings = {setting};\n{INSERT}{row_with(written)}, {ROW};")
    assert [line[2] for line in found.good.values()] == [meaning, "LANTERN"]


@pytest.mark.parametrize(
    "written",
    [
        "DEFAULT",
        "TRUE",
        "lower('x')",
        "$$it's$$",
        "U&'\\0441'",
        "0x0000A1B2",
        "('x')",
        "'a' || 'b'",
        "(SELECT ';x')",
        "1 2",
    ],
)
def test_a_value_that_is_no_text_number_or_null_is_a_reject(written: str) -> None:
    """Never a word taken for a text. The rows beside it pass."""
    found = read(f"{INSERT}{ROW},\n{row_with(written)},\n{ROW};")
    assert list(found.good) == [1, 3]
    ((reject),) = found.rejects
    assert reject == (2, row_with(written), None, "expected 8 values: texts, numbers or NULL")


def test_rows_of_other_lengths_are_rejects() -> None:
    """Each alone."""
    found = read(f"{INSERT}(),\n(1),\n{ROW[:-1]}, 'more'),\n{ROW};")
    assert (list(found.good), [reject.line for reject in found.rejects]) == ([4], [1, 2, 3])


@pytest.mark.parametrize(
    "script",
    [
        f"{INSERT}{ROW}, -- the first\n/* the second; */ {ROW}\n;",
        f"{INSERT}{ROW} ON CONFLICT DO NOTHING;\n{INSERT}{ROW} RETURNING 1;",
        f"/* all */{INSERT}\n\t{ROW},\n\t{ROW};",
        f"{INSERT.lower()}{ROW};{INSERT}  {ROW};",
        f"INSERT INTO other VALUES (1, 'x;'), (2, $$it's;$$);{INSERT}{ROW};INSERT INTO other VALUES (1);{INSERT}{ROW};",
        f"{INSERT.replace('VALUES', 'OVERRIDING SYSTEM VALUE VALUES')}{ROW}, {ROW};",
        f"BEGIN; {INSERT}{ROW}; SAVEPOINT a; {INSERT.replace(', ', ',')}{ROW}; COMMIT",
    ],
)  # fmt: skip
def test_no_row_is_passed_over(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the rows are parted, and however the file is cut in chunks."""
    for size in [sql_script.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(sql_script, "CHUNK_BYTES", size)
        found = read(script)
        assert (list(found.good.values()), found.rejects) == ([LANTERN, LANTERN], []), size


def test_columns_may_be_known_from_the_table_alone() -> None:
    """As pg_dump --inserts has it; values of columns that are left out may be anything."""
    script = (
        "CREATE TABLE public.retail (id bigint, country text, customer_id real DEFAULT (1), flag boolean NOT NULL,\n"
        'price numeric(10, 2), "invoice date" timestamp, quantity int CHECK (quantity IN (1, 6)), description text,\n'
        "stock_code text, invoice text, bits bit(3), CONSTRAINT pk PRIMARY KEY (id, invoice));\n"
        "INSERT INTO public.retail VALUES (1, 'United Kingdom', 17850, true, 2.55, '2010-12-01 08:26:00', 6, "
        "'LANTERN', '85123A', '536365', B'101');\n"
    )
    found = read(script)
    assert found.good == {4: LANTERN}
    assert found.facts["columns left out"] == "id, flag, bits"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (f"{INSERT}{ROW}, {ROW[:-5]}", ", line 1: cut off: this quotation never ends"),
        (f"{INSERT}{ROW},\n('1', 2", ", line 2: this row of values never ends, or is not a row."),
        (f"{INSERT}{ROW},", ": this row of values never ends, or is not a row."),
        (f"{INSERT}{ROW};\n{INSERT}", ", line 2: cut off: the file ends within this statement"),
        (f"{INSERT}{ROW};\n{INSERT[:20]}", ", line 2: cut off: the file ends within this statement"),
        (f"{INSERT}{ROW};\nIN", ", line 2: cut off: the file ends within this statement"),
        (f"{INSERT}{ROW}\n", ": expected a semicolon, or a comma and the next row."),
        (f"{INSERT}{ROW} UNION ALL SELECT 1;", ", line 1: expected a semicolon, or a comma"),
        (f"{INSERT}{ROW} {ROW};", ", line 1: expected a semicolon, or a comma and the next row."),
        (
            f"{INSERT}{ROW}\n\\, {ROW};",
            ", line 2: expected a semicolon, or a comma and the next row.",
        ),
        (f"{INSERT}{ROW}; , {ROW};", ", line 1: expected rows of VALUES or a COPY block, found , ("),
        (f"{INSERT}{ROW}; INSERT ,{ROW};", ", line 1: expected rows of VALUES or a COPY block, found INSERT ,("),
        (f"GO\n{TSQL}UNION ALL SELECT 1", ", line 3: expected a semicolon, or"),
        (
            "INSERT INTO retail VALUES (1);",
            ", line 1: the columns are named neither here nor in an earlier CREATE TABLE",
        ),
    ],
)
def test_a_script_that_loses_rows_is_refused(script: str, said: str) -> None:
    """Wherever it is cut off, and whatever is not understood."""
    assert said.removeprefix(":") in refusal(script)


# SQL Server.


def test_a_script_of_sql_server_is_read() -> None:
    """As Management Studio writes it: UTF-16 with a byte order mark, line breaks of Windows, GO and no semicolons."""
    script = (
        "USE [shop]\nGO\n/****** Object:  Table [dbo].[retail]    Script Date: 01/12/2010 08:26:00 ******/\n"
        "SET ANSI_NULLS ON\nGO\nSET QUOTED_IDENTIFIER ON\nGO\n"
        f"CREATE TABLE {TABLE}(\n\t[Invoice] [nvarchar](50) NOT NULL,\n"
        "\t[StockCode] [nvarchar](50) NULL\n) ON [PRIMARY]\nGO\n"
        f"SET IDENTITY_INSERT {TABLE} ON \n\n{TSQL}{TSQL}GO\nprint 'Processed 100 total records'\n{TSQL}"
        f"SET IDENTITY_INSERT {TABLE} OFF\nGO\n"
    ).replace("\n", "\r\n")
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"):
        found = read(script.encode(encoding))
        assert [typed(line) for line in found.good.values()] == [typed(LANTERN)] * 3
        assert list(found.good) == [15, 16, 19]
    assert read(script.encode("utf-16")).facts == {
        "format": "T-SQL script of INSERTs",
        "encoding": "utf-16-le",
        "dates": "year first",
        "numbers": "decimal point",
        "columns": "invoice as invoice_no, stockcode as stock_code, description, quantity, "
        "invoicedate as invoice_date, price as unit_price, customer id as customer_id, country",
    }


BETWEEN = {
    "nothing": "",
    "semicolon": ";\n",
    "batch": "GO\n",
    "batch many times": "  go 5  \n",
    "batch and comment": "GO -- it's\n",
    "print": "print 'Processed 100 total records'\n",
    "declaration": "DECLARE @x int = 5\n",
    "comment": "-- it's [\n/* it's [ /* */ */\n",
    "brackets with quotes": "INSERT [dbo].[it's \"]] [x] ([a'b]) VALUES (N'GO\n')\n",
    "other table": "INSERT [dbo].[other] ([a]) VALUES (1), (2)\nINSERT INTO [dbo].[other] VALUES (N'x')\n",
    "other table by a query": "INSERT INTO [dbo].[other] SELECT 1\n",
    "condition": "IF NOT EXISTS (SELECT 1 FROM [x])\n    ",
    "block": "BEGIN TRY\n",
    "constraint": "ALTER TABLE [dbo].[retail] NOCHECK CONSTRAINT ALL\n",
    "permission": "GRANT SELECT, INSERT ON [dbo].[retail] TO [x]\n",
    "procedure": f"GO\nCREATE PROCEDURE [dbo].[p] AS\nBEGIN\n  SELECT 1;\n  {HEAD} VALUES (1)\n  ;{TSQL}END\nGO\n",
    "trigger": f"GO\nCREATE OR ALTER TRIGGER t ON {TABLE} AFTER INSERT AS {TSQL}GO\n",
    "procedure that ends its statement": "GO\nALTER PROC p AS SELECT 1;\nGO\n",
    "dollars and backslashes": "PRINT N'$$ \\' + $x$ + 'E\\'\n",
    "words that begin alike": "SELECT GOOD, inserted, [create], CREATED, @INSERT, #go FROM going\n",
}


@pytest.mark.parametrize("between", BETWEEN.values(), ids=BETWEEN.keys())
def test_rows_of_sql_server_are_found_whatever_stands_between(between: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements need no semicolon there, and routines end with their batch."""
    for size in [sql_script.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(sql_script, "CHUNK_BYTES", size)
        for end in ("", "GO\n", "SET NOCOUNT OFF"):
            found = read(f"USE [x]\nGO\n{TSQL}{between}{TSQL}{between}{TSQL}{end}")
            assert ([typed(line) for line in found.good.values()], found.rejects) == ([typed(LANTERN)] * 3, []), size


@pytest.mark.parametrize(
    ("old", "new", "meaning"),
    [
        ("CAST(2.55 AS Decimal(18, 2))", "2.5499999999999998", None),
        ("CAST(2.55 AS Decimal(18, 2))", "2.5500", None),
        ("CAST(2.55 AS Decimal(18, 2))", "CAST(2.55 AS Numeric(38, 18))", None),
        ("CAST(2.55 AS Decimal(18, 2))", "2.5500000000000000e+000", None),
        ("CAST(N'2010-12-01T08:26:00.000' AS DateTime)", "CAST(N'2010-12-01T08:26:00.0000000' AS DateTime2)", None),
        ("CAST(N'2010-12-01T08:26:00.000' AS DateTime)", "CAST(N'2010-12-01 08:26:00' AS SmallDateTime)", None),
        ("CAST(N'2010-12-01T08:26:00.000' AS DateTime)", "N'2010-12-01 08:26:00.000'", None),
        ("17850", "CAST(17850 AS Numeric(18, 0))", None),
        ("17850", "17850.0", None),
        ("CAST(N'2010-12-01T08:26:00.000' AS DateTime)", "CAST(0x00009E41 AS DateTime)", "a date and time"),
        ("CAST(N'2010-12-01T08:26:00.000' AS DateTime)", "CAST(0x00009E3FFFFFFFFF AS DateTime)", "a date and time"),
        ("CAST(N'2010-12-01T08:26:00.000' AS DateTime)", "0x00009E3F008AFA20", "expected 8 values"),
        ("N'2010-12-01T08:26:00.000' AS", "N'2010-12-01T08:26:00.000+00:00' AS", None),
    ],
)  # fmt: skip
def test_types_of_sql_server_are_read_or_rejected(old: str, new: str, meaning: str | None) -> None:
    """Money, real and decimal numbers, and every kind of date: a value or a reject, and nothing between."""
    found = read(f"USE [x]\nGO\n{TSQL}{TSQL.replace(old, new)}{TSQL}")
    if meaning is None:
        assert [typed(line) for line in found.good.values()] == [typed(LANTERN)] * 3
    else:
        assert (len(found.good), len(found.rejects)) == (2, 1)
        assert meaning in found.rejects[0].reason


def test_a_row_that_is_cut_in_utf_16_is_refused() -> None:
    """Even within a character: a lost byte turns everything after it into other characters."""
    script = f"USE [x]\nGO\n{TSQL * 50}".encode("utf-16")
    assert "cut off" in refusal(script[:-31])
    assert "half a UTF-16 character" in refusal(script[:5000] + script[5001:])


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("CAST(0x00009E3F008AFA20 AS DateTime)", "2010-12-01 08:26:00"),
        ("CAST( 0x00009e3f008afa21 AS [datetime] )", "2010-12-01 08:26:00.003000"),
        ("CAST(0x9E3F01FA AS SmallDateTime)", "2010-12-01 08:26:00"),
        ("CAST(0x9A330B AS Date)", "2010-12-01 00:00:00"),
        ("CAST(0x9A330B00 AS Date)", "2010-12-01 00:00:00"),
        ("CAST(0x07005CF8AF469A330B AS DateTime2)", "2010-12-01 08:26:00"),
        ("CAST(0x009876009A330B AS DateTime2(0))", "2010-12-01 08:26:00"),
    ],
)
def test_binary_dates_of_sql_server_are_read(written: str, meaning: str) -> None:
    """As the server itself shows them."""
    changed = TSQL.replace("CAST(N'2010-12-01T08:26:00.000' AS DateTime)", written)
    found = read(f"USE [x]\nGO\n{TSQL}{changed}{TSQL}")
    assert [line[4] for line in found.good.values()][1] == meaning


# Stray quotes.

SEVERAL = 12
LAYOUTS = {
    "an INSERT a row": (INSERT, f";\n{INSERT}", ";\n"),
    "an INSERT a row, one line": (INSERT, f"; {INSERT}", ";\n"),
    "one INSERT, a row a line": (INSERT + "\n", ",\n", ";\n"),
    "one INSERT, one line": (INSERT, ",", ";\n"),
    "SQL Server": ("USE [x]\nGO\n" + HEAD + " VALUES ", f"\n{HEAD} VALUES ", "\n"),
    "SQL Server with batches": ("USE [x]\nGO\n" + HEAD + " VALUES ", f"\nGO\n{HEAD} VALUES ", "\nGO\n"),
    "MySQL": (f"-- MySQL dump 10.13\nINSERT INTO `retail` ({COLUMNS}) VALUES ", ",", ";\n"),
}
STRAYS = st.tuples(st.integers(0, SEVERAL - 1), st.integers(1, 70), st.sampled_from(["'", "\\'"]))


def numbered(row: int) -> str:
    return ROW.replace("536365", f"T{row:04}").replace("LANTERN", "it''s; red),\nbig\n); x" if row % 3 else "LANTERN")


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(deadline=None)
@given(strays=st.lists(STRAYS, max_size=4))
@example(strays=[(4, 30, "'"), (5, 30, "'"), (9, 28, "\\'")])
@example(strays=[(row, 30, "'") for row in range(SEVERAL)])
def test_a_stray_quote_takes_no_good_row_with_it(layout: str, strays: list[tuple[int, int, str]]) -> None:
    """Rows without one are good, or the dump is refused; texts of several lines are what they were."""
    start, between, end = LAYOUTS[layout]
    rows = [numbered(row) for row in range(SEVERAL)]
    for row, at, stray in strays:
        rows[row] = rows[row][:at] + stray + rows[row][at:]
    found = outcome(start + between.join(rows) + end)
    if isinstance(found, str):
        assert strays
        return
    struck = {row for row, _, _ in strays}
    good = {line[0]: line[2] for line in found.good.values()}
    for row in set(range(SEVERAL)) - struck:
        assert good[f"T{row:04}"] == ("it's; red),\nbig\n); x" if row % 3 else "LANTERN")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_with_a_stray_quote_are_rejected_one_by_one(layout: str) -> None:
    """Two of them do not pair off over the rows between them."""
    start, between, end = LAYOUTS[layout]
    rows = [ROW.replace("LANTERN", "O'LANTERN") if row in (2, 6) else ROW for row in range(SEVERAL)]
    found = read(start + between.join(rows) + end)
    assert len(found.good) == SEVERAL - 2
    assert [reject.text for reject in found.rejects] == [rows[2]] * 2


def test_a_stray_quote_in_another_table_takes_no_row_with_it() -> None:
    """Rows of ours within its quotations are missed."""
    script = (
        f"INSERT INTO other VALUES ('O'NEILL');\n{INSERT}{ROW};\nINSERT INTO other VALUES ('O'HARA');\n{INSERT}{ROW};\n"
    )
    assert "line 1: expected the end of this INSERT" in refusal(script)


# MySQL and MariaDB.


@pytest.mark.parametrize(
    ("mode", "meaning"),
    [
        ("SET sql_mode='NO_BACKSLASH_ESCAPES';", r"A\\B"),
        ("SET SESSION sql_mode = CONCAT(@@sql_mode, ',no_backslash_escapes');", r"A\\B"),
        ("/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI,NO_BACKSLASH_ESCAPES' */;", r"A\\B"),
        ("/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;", "A\\B"),
        ("SET sql_mode='NO_BACKSLASH_ESCAPES';\nSET sql_mode='';", "A\\B"),
    ],
)
def test_backslashes_mean_what_the_mode_of_mysql_says(mode: str, meaning: str) -> None:
    """One of its modes has them be characters like any other."""
    insert = INSERT.replace("public.retail", "`retail`")
    found = read(f"-- MySQL dump 10.13\n{mode}\n{insert}{row_with(chr(39) + 'A' + chr(92) * 2 + 'B' + chr(39))};\n")
    assert [line[2] for line in found.good.values()] == [meaning]


def test_a_dump_of_mysql_is_read() -> None:
    """As mysqldump writes it: names in backticks, comments that are commands, backslashes that escape."""
    found = read(
        "-- MySQL dump 10.13  Distrib 8.0.36\n/*!40101 SET NAMES utf8 */;\nDROP TABLE IF EXISTS `retail`;\n"
        "CREATE TABLE `retail` (\n  `Invoice` varchar(20) NOT NULL,\n  `StockCode` varchar(20) DEFAULT NULL,\n"
        "  `Description` text COMMENT 'it''s, a text',\n  `Quantity` int DEFAULT '0',\n"
        "  `InvoiceDate` datetime,\n  `Price` decimal(10,2),\n  `Customer ID` int,\n  `Country` varchar(40),\n"
        "  KEY `by_customer` (`Customer ID`),\n  FULLTEXT KEY `words` (`Description`)\n) ENGINE=InnoDB;\n"
        "LOCK TABLES `retail` WRITE;\n/*!40000 ALTER TABLE `retail` DISABLE KEYS */;\n"
        f"INSERT INTO `retail` VALUES {ROW},{ROW.replace('LANTERN', chr(92) + chr(39))};\n"
        f"INSERT INTO `retail` VALUES {ROW};\nUNLOCK TABLES;\n"
    )
    assert ([line[2] for line in found.good.values()], found.rejects) == (["LANTERN", "'", "LANTERN"], [])


@pytest.mark.parametrize(
    "verb",
    [
        "INSERT  IGNORE INTO",
        "REPLACE INTO",
        "replace delayed into",
        "INSERT DELAYED IGNORE INTO",
        "INSERT OR REPLACE INTO",
    ],
)
def test_rows_that_are_kept_or_replaced_are_rows(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """mysqldump writes so with --insert-ignore and --replace; what else the script has is told apart as ever."""
    insert = INSERT.replace("INSERT INTO public.retail", f"{verb} `retail`")
    script = f"{insert}{ROW},{row_with(chr(39) + chr(92) + chr(39) * 2)};\n{insert}{ROW};\n"
    for size in CHUNK_SIZES:
        monkeypatch.setattr(sql_script, "CHUNK_BYTES", size)
        found = read(script)
        assert ([line[2] for line in found.good.values()], found.rejects) == (["LANTERN", "'", "LANTERN"], [])
    assert "cut off" in refusal(f"{script}{verb} `retail`")
    assert "expected rows of VALUES" in refusal(f"{script}{verb} `retail` SELECT * FROM `old`;\n")


@pytest.mark.parametrize("name", ["`Retail`", '"Retail"', '"public"."RETAIL"'])
def test_the_name_of_the_table_may_have_capitals(name: str) -> None:
    """Quotes and backticks keep them; a second table of the same name is told from it."""
    script = f"--\n{INSERT.replace('public.retail', name)}{ROW};\n"
    assert list(read(script).good.values()) == [LANTERN]
    assert "expected one table, found retail and " in refusal(f"{script}{INSERT.replace('public.', '')}{ROW};\n")


@pytest.mark.parametrize("table", ["retail", '"Retail"', "IF NOT EXISTS retail"])
def test_a_dump_of_sqlite_is_read(table: str) -> None:
    """As `.dump` writes it: pragmas, a table without blanks, floats with all their digits, its own tables."""
    script = (
        f'PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE {table}("Invoice" TEXT, StockCode TEXT,\n'
        '  Description TEXT, Quantity INTEGER, InvoiceDate TIMESTAMP, Price REAL, "Customer ID" REAL, Country TEXT);\n'
    )
    name = table.rpartition(" ")[2]
    values = "'536365','85123A','{}',6,'2010-12-01 08:26:00',2.5499999999999998223,17850.0,'United Kingdom'".format
    script += "".join(f"INSERT INTO {name} VALUES({values(text)});\n" for text in ("LANTERN", "it;''s"))
    script += "DELETE FROM sqlite_sequence;\nINSERT INTO sqlite_sequence VALUES('Retail',2);\n"
    script += f"CREATE INDEX by_invoice ON {name}(Invoice);\nCOMMIT;\n"
    found = read(script)
    assert not found.rejects
    assert [typed(line)[2] for line in found.good.values()] == ["LANTERN", "it;'s"]
    assert typed(found.good[5]) == typed(LANTERN)
