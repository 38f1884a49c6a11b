"""The statements around the rows of a script: which rows are data, in which place they are, and what undoes them."""

import itertools
import re
import sqlite3
import time
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets_tests.sources.reading import COLUMNS, COPY, GOOD, INSERT, LANTERN, ROW, Read, outcome, read, refusal

FALSE_ROW = ROW.replace("536365", "999001")
FALSE = f"INSERT INTO retail ({COLUMNS}) VALUES {FALSE_ROW}"
MYSQL = "-- MySQL dump 10.13\n"
SQLITE = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"
SQL_SERVER = "USE [shop]\nGO\n"
BLOCK = f"{COPY}{GOOD}\\.\n"
INSERTED = f"{INSERT}{ROW};\n"
OURS = f"INSERT INTO retail ({COLUMNS}) VALUES {ROW};\n"

# Routines.

BODIES = {
    "procedure of mysqldump": (
        MYSQL,
        f"DELIMITER ;;\nCREATE DEFINER=`root`@`localhost` PROCEDURE `p`()\nBEGIN\n  DELETE FROM `retail`;\n  {FALSE};\n"
        f"  {FALSE};\nEND ;;\nDELIMITER ;\n",
    ),
    "blocks within blocks": (
        MYSQL,
        "delimiter //\nCREATE PROCEDURE p(x int) BEGIN # don't\n  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN END;\n"
        f"  CASE x WHEN 1 THEN {FALSE}; ELSE BEGIN {FALSE}; END; END CASE;\n"
        f"  IF x > 4/2 THEN l: LOOP {FALSE}; END LOOP; ELSEIF 1 THEN WHILE 1 DO {FALSE}; END WHILE; END IF;\n"
        f"  REPEAT {FALSE}; UNTIL 1 END REPEAT; SELECT CASE WHEN 1 THEN 2 END;\n  {FALSE};\nEND//\nDELIMITER ;\n",
    ),
    "delimiter of dollars": (
        MYSQL,
        f"DELIMITER $$\nCREATE OR REPLACE FUNCTION f() RETURNS int BEGIN {FALSE}; RETURN 1; END$$\n"
        f"DROP TRIGGER IF EXISTS t$$\nCREATE TRIGGER t BEFORE UPDATE ON other FOR EACH ROW {FALSE}$$\nDELIMITER ;\n",
    ),
    "delimiter of a word": (
        MYSQL,
        f"DELIMITER EOF\nCREATE PROCEDURE p() BEGIN SET @eof = 'Eof';\n {FALSE};\nEND EOF\nDELIMITER ;\n",
    ),
    "event in comments": (
        MYSQL,
        "/*!50106 SET @save_time_zone= @@TIME_ZONE */ ;\nDELIMITER ;;\n/*!50106 CREATE*/ /*!50117 DEFINER=`a`@`%`*/ "
        f"/*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM retail; {FALSE}; END */ ;;\nDELIMITER ;\n",
    ),
    "event and trigger without delimiter": (
        MYSQL,
        f"CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN {FALSE}; {FALSE}; END;\n"
        f"CREATE DEFINER = 'a'@'%' TRIGGER t AFTER INSERT ON other FOR EACH ROW BEGIN IF 1 THEN {FALSE}; END IF;\n"
        f"  {FALSE}; END;\n",
    ),
    "trigger of MySQL where nothing else is MySQL's": (
        "",
        "create definer = root@localhost trigger t before insert on other for each row\nbegin\n"
        "  if new.a < 0 then set new.a = 0; end if;\n"
        f"  case new.b when 1 then set new.b = 2; end case;\n  {FALSE};\nend;\n",
    ),
    "package": (
        MYSQL,
        f'DELIMITER ;;\nCREATE DEFINER="a"@"b" PACKAGE BODY "k" AS PROCEDURE p AS BEGIN {FALSE}; END;\n'
        f"  PROCEDURE q AS BEGIN {FALSE}; END; END\n;;\nDELIMITER ;\n",
    ),
    "trigger of SQLite": (
        SQLITE,
        f"CREATE TRIGGER t AFTER DELETE ON other BEGIN\n UPDATE log SET n = CASE n WHEN 1 THEN 'END;' ELSE 2 END;\n"
        f" {FALSE};\n DELETE FROM retail WHERE price = CASE 1 WHEN 1 THEN 2\n END; {FALSE};\nEND;\n",
    ),
    "temporary trigger of SQLite": (
        SQLITE,
        "CREATE TEMP TRIGGER IF NOT EXISTS \"begin; t\" AFTER DELETE ON retail WHEN old.a = 'BEGIN'\n"
        f"BEGIN {FALSE}; END;\n",
    ),
    "body of PostgreSQL": (
        "",
        f"CREATE OR REPLACE PROCEDURE p() LANGUAGE sql\n    BEGIN ATOMIC\n {FALSE};\n"
        f" SELECT CASE WHEN true THEN 1 END;\n {FALSE};\nEND;\n",
    ),
    "words that begin no body": (
        "",
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ATOMIC; $$;\n"
        "CREATE FUNCTION g() RETURNS void AS 'begin (' LANGUAGE plpgsql;\n"
        "CREATE FUNCTION \"begin\"() RETURNS int AS E'\\'(';\n"
        "ALTER FUNCTION f() OWNER TO begin_;\nCREATE TRIGGER t AFTER INSERT ON retail EXECUTE FUNCTION f(');');\n",
    ),
    "function of PostgreSQL with a parameter called begin": (
        "",
        "CREATE FUNCTION public.f(a int, begin date, \"end\" date) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;\n"
        "ALTER FUNCTION public.f(a int, begin date, \"end\" date) OWNER TO a;\n",
    ),
    "trigger of PostgreSQL on a column called begin": (
        "",
        "CREATE TRIGGER t BEFORE UPDATE OF a, begin ON o FOR EACH ROW EXECUTE FUNCTION f();\n"
        "CREATE TRIGGER t BEFORE INSERT ON o FOR EACH ROW WHEN (new.a ~ ANY (ARRAY['^[a'::text, 'b]'::text]))\n"
        "    EXECUTE FUNCTION f();\nALTER TABLE o ALTER COLUMN a SET DEFAULT '[', ADD CHECK (a[1] <> '(');\n",
    ),
    "trigger of SQLite on a column called begin": (
        SQLITE,
        "CREATE TRIGGER t AFTER UPDATE OF begin ON o WHEN old.begin IS NULL BEGIN\n"
        f" UPDATE o SET begin = 1, \"end\" = 2;\n {FALSE};\nEND;\nEND;\nBEGIN;\n",
    ),
    "function of MySQL with a parameter called begin": (
        MYSQL,
        f"CREATE FUNCTION f(begin date, `end` date) RETURNS int BEGIN {FALSE}; RETURN 1; END;\n",
    ),
    "rule of several actions": (
        "",
        "CREATE RULE r AS\n    ON DELETE TO public.other DO ALSO ( INSERT INTO log (a)\n  VALUES (')');\n"
        f" {FALSE};\n);\n"
        f"CREATE OR REPLACE RULE r AS ON INSERT TO other DO INSTEAD ({FALSE}; {FALSE});\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("head", "body"), BODIES.values(), ids=BODIES.keys())
def test_what_a_routine_inserts_is_no_data(head: str, body: str) -> None:
    """Bodies end with their own END, rules with their parenthesis, and under another delimiter all with that."""
    for rows in (INSERTED, INSERTED if head == MYSQL else BLOCK):
        found = read(f"{head}{rows}{body}{INSERTED.replace('INSERT', 'insert')}COMMIT;\n")
        assert (list(found.good.values()), found.rejects) == ([LANTERN, LANTERN], [])


def test_rows_under_another_delimiter_are_data() -> None:
    """Whatever it is."""
    for delimiter in (";;", "//", "$$", "|", "GO"):
        script = "\n".join(
            [f"{INSERT}{ROW},", f"{ROW}{delimiter}", f"SELECT 1{delimiter}", f"{INSERT}{ROW}{delimiter}"]
        )
        found = read(f"{MYSQL}DELIMITER {delimiter}\n{script}\n")
        assert list(found.good.values()) == [LANTERN] * 3


def test_a_body_that_never_ends_is_refused() -> None:
    """Otherwise, the lines after it would be missed."""
    said = refusal(f"{BLOCK}CREATE TRIGGER t AFTER DELETE ON other BEGIN\n SELECT 1;\n{BLOCK}")
    assert said.startswith("a dump, line 4: expected the END of this body, found none: CREATE TRIGGER t")


def test_what_mysql_runs_in_a_comment_is_not_passed_over() -> None:
    """Rows in one are not read, and so refused; elsewhere, such a comment is a comment."""
    assert "expected rows of VALUES" in refusal(f"{MYSQL}{INSERTED}/*!40000 {OURS[:-2]} */;\n")
    assert "found DELETE FROM retail" in refusal(f"{MYSQL}{INSERTED}/*!40000 DELETE FROM retail */;\n")
    assert len(read(f"{BLOCK}/*!40000 {OURS[:-2]} */;\n").good) == 1


def test_a_script_with_a_delimiter_is_one_of_mysql() -> None:
    """Even if nothing before it says so."""
    script = (
        f"SELECT 1;\n{OURS}{'-' * 70_000}\nDELIMITER $$\nCREATE PROCEDURE p() BEGIN {FALSE}; END$$\nDELIMITER ;\n{OURS}"
    )
    assert list(read(script).good.values()) == [LANTERN] * 2


def test_names_of_mysql_may_hold_what_begins_a_comment_or_a_text() -> None:
    """In backticks."""
    names = ", ".join(f"`{name}` text" for name in COLUMNS.split(", "))
    script = f"{MYSQL}CREATE TABLE `retail` (`it's #1` int, {names});\nINSERT INTO `retail` VALUES (1, {ROW[1:]};\n"
    assert list(read(script).good.values()) == [LANTERN]


def test_rows_after_a_statement_without_an_end_are_not_passed_over() -> None:
    """They are refused: as part of that statement, they are none."""
    assert "line 2: expected rows of VALUES" in refusal(f"{MYSQL}/*!40000 ALTER TABLE `retail` DISABLE KEYS */\n{OURS}")


# Places.

TWO_PLACES = {
    "two databases of MySQL": f"{MYSQL}USE `shop`;\n{OURS}USE `archive`;\n{OURS}",
    "two databases of MySQL, in a comment": f"{MYSQL}USE shop;\n{OURS}/*!40000 USE `archive` */;\n{OURS}",
    "a database of MySQL in the name": f"{MYSQL}USE `shop`;\n{OURS}{OURS.replace('retail', '`archive`.`retail`')}",
    "a database of MySQL after none": f"{MYSQL}{OURS}USE `archive`;\n{OURS}",
    "two databases of MySQL that differ in case": f"{MYSQL}USE `Shop`;\n{OURS}USE shop;\n{OURS}",
    "two databases of SQL Server": f"{SQL_SERVER}{OURS[:-2]}\nGO\nUSE [archive]\nGO\n{OURS[:-2]}\n",
    "two databases of SQL Server after a row of another table": (
        f"{SQL_SERVER}{OURS}INSERT other (a) VALUES (1)\nUSE archive\n{OURS}"
    ),
    "two databases of SQL Server after another table": (
        f"{SQL_SERVER}{OURS}CREATE TABLE other (a int)\nUSE archive\n{OURS}"
    ),
    "two databases of SQL Server without GO": f"{SQL_SERVER}{OURS}PRINT 'USE x'\nUSE archive\n{OURS[:-2]}\n",
    "two databases of psql": f"\\connect shop\n{OURS}\\connect archive\n{OURS}",
    "two schemas in turn": f"SET search_path = shop, pg_catalog;\n{OURS}SET search_path TO archive;\n{OURS}",
    "two schemas by a function": (
        f"SELECT pg_catalog.set_config('search_path', 'shop', false);\n{OURS}SET SCHEMA 'archive';\n{OURS}"
    ),
}  # fmt: skip


@pytest.mark.parametrize("script", TWO_PLACES.values(), ids=TWO_PLACES.keys())
def test_tables_of_two_places_are_not_added_up(script: str) -> None:
    """Databases and schemas that the script moves between tell tables of one name apart."""
    said = refusal(f"--\n{script}")
    assert ": expected one table, found " in said
    assert ("Their names differ in case alone" in said) == (
        script == TWO_PLACES["two databases of MySQL that differ in case"]
    )


ONE_PLACE = {
    "one database of MySQL, twice": (
        f"{MYSQL}USE `shop`;\n{OURS}USE shop;\n{OURS}{OURS.replace('retail', 'shop.retail')}"
    ),
    "one database of MySQL, with and without backticks": (
        f"{MYSQL}USE Shop;\n{OURS}USE `Shop`;\n{OURS}{OURS.replace('retail', 'Shop.retail')}"
    ),
    "a database that is dropped": (
        f"{MYSQL}USE `shop`;\n{OURS}/*!40000 DROP DATABASE IF EXISTS `archive`*/;\nUSE `archive`;\nDROP SCHEMA a;\n"
    ),
    "an empty table elsewhere": (
        f"{MYSQL}USE `shop`;\n{OURS}{OURS}USE `archive`;\nDROP TABLE IF EXISTS `retail`;\n"
        "CREATE TABLE `retail` (`a` int);\n"
    ),
    "one database of SQL Server, twice": (
        f"USE [master]\nGO\n{SQL_SERVER}{OURS[:-2]}\nGO\nUSE [other]\nGO\nUSE shop\nGO\n{OURS[:-2]}\n"
        f"{OURS[:-2].replace('retail', '[shop].[dbo].[retail]')}\n"
    ),
    "one schema": (
        f"SET search_path = public, pg_catalog;\n{OURS}SET search_path = \"$user\", public;\n{INSERTED}"
        f"SELECT pg_catalog.set_config('search_path', '', false);\n{INSERTED}"
    ),
    "a hint of SQL Server": f"{SQL_SERVER}{OURS}SELECT 1 OPTION (USE HINT ('x'), USE PLAN N'y')\n{OURS}",
    "a table created elsewhere": (
        f"{MYSQL}USE a;\nCREATE TABLE retail ({COLUMNS.replace(',', ' text,')} text);\nUSE b;\n"
        f"CREATE TABLE retail (a int, b int);\nUSE a;\nINSERT INTO retail VALUES {ROW},{ROW};\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("script", ONE_PLACE.values(), ids=ONE_PLACE.keys())
def test_one_table_may_be_named_in_several_ways(script: str) -> None:
    """And another of its name may be created elsewhere, as long as it has no rows."""
    found = read(f"--\n{script}")
    assert set(found.good.values()) == {LANTERN}
    assert len(found.good) == script.count(ROW)


@pytest.mark.parametrize("created", ["shop.retail", "Retail", "a.retail", "a.retail b.retail"])
def test_the_columns_are_those_of_the_table_that_may_be_ours(created: str) -> None:
    """Where the rows name it in another way than its CREATE TABLE does; in doubt, the dump is refused."""
    columns = COLUMNS.replace(",", " text,") + " text"
    creates = "".join(f"CREATE TABLE {name} ({columns});\n" for name in created.split())
    rows = f"INSERT INTO retail VALUES {ROW};\n"
    for head in ("--\n", MYSQL):
        assert list(read(f"{head}{creates}{rows}").good.values()) == [LANTERN]
    other = creates.replace("price text", "price text, a int").replace(created.split()[0], "c.retail")
    assert "expected one CREATE TABLE of retail, found several that differ" in refusal(f"{MYSQL}{creates}{other}{rows}")


# Rows from elsewhere.

FILLS = [
    "INSERT INTO retail SELECT * FROM other",
    "REPLACE INTO retail SELECT * FROM other",
    "INSERT INTO public.retail TABLE other",
    "INSERT OR REPLACE INTO retail DEFAULT VALUES",
    "WITH x AS (SELECT 1) INSERT INTO retail SELECT * FROM x",
    "WITH x AS (INSERT INTO retail SELECT * FROM other RETURNING *) SELECT * FROM x",
    "MERGE INTO retail r USING other o ON o.a = r.a WHEN NOT MATCHED THEN INSERT VALUES (o.a)",
    "CREATE TABLE retail AS SELECT * FROM other",
    "CREATE UNLOGGED TABLE IF NOT EXISTS public.retail (a) AS TABLE other",
    "SELECT * INTO TABLE retail FROM other",
    "ALTER TABLE other RENAME TO retail",
    "COPY retail FROM PROGRAM 'cat'",
    "COPY public.retail (a) FROM '/tmp/retail.csv' CSV",
    "\\copy public.retail from 'retail.csv' csv",
    "\\i more.sql",
    "\\include_relative more.sql",
]
FILLS_OF_MYSQL = [
    "INSERT IGNORE `retail` SELECT * FROM other",
    "INSERT INTO retail SET a = 1",
    "REPLACE retail SELECT * FROM other",
    "CREATE TABLE retail (a int) ENGINE=InnoDB SELECT * FROM other",
    "LOAD DATA LOCAL INFILE 'retail.csv' INTO TABLE `retail` FIELDS TERMINATED BY ','",
    "RENAME TABLE a TO b, other TO `retail`",
    "ALTER TABLE other RENAME retail",
    "SOURCE more.sql",
    "\\. more.sql",
]
FILLS_OF_SQL_SERVER = [
    "SELECT * INTO [dbo].[retail] FROM [other]",
    "PRINT 'x'\nMERGE TOP (10) [dbo].[retail] AS t USING [o] AS s ON 1 = 1 WHEN NOT MATCHED THEN INSERT VALUES (1);",
    "PRINT 'x' BULK INSERT [dbo].[retail] FROM 'C:\\retail.csv'",
    "DELETE FROM [other] OUTPUT deleted.* INTO [dbo].[retail]",
    "INSERT [dbo].[other] ([a]) VALUES (1)\nSELECT * INTO retail FROM [other]",
    "ALTER TABLE [dbo].[other] SWITCH TO [dbo].[retail]",
    "EXEC sp_rename @objname = N'[dbo].[other]', @newname = N'retail'",
    ":r more.sql",
    "EXEC('INSERT INTO dbo.retail SELECT * FROM other')",
]


@pytest.mark.parametrize(
    ("head", "fill"),
    [
        *(("--\n", fill) for fill in FILLS),
        *((MYSQL, fill) for fill in FILLS_OF_MYSQL),
        *((SQL_SERVER, fill) for fill in FILLS_OF_SQL_SERVER),
    ],
)
def test_rows_that_come_from_elsewhere_refuse_the_dump(head: str, fill: str) -> None:
    """Before those that are read, and after them: they would be missed."""
    for script in (f"{head}{fill};\n{OURS}", f"{head}{OURS}{fill};\n"):
        assert "expected rows of VALUES or a COPY block, found " in refusal(script)


HARMLESS_FILLS = [
    "INSERT INTO other SELECT * FROM retail",
    "CREATE TABLE other AS SELECT * FROM retail",
    "CREATE TABLE retail_2 (LIKE retail)",
    "CREATE VIEW v AS SELECT a AS retail FROM retail",
    "SELECT * INTO other FROM retail",
    "GRANT INSERT, SELECT ON retail TO reader",
    "RENAME TABLE other TO retail_2",
    "REVOKE INSERT ON TABLE retail FROM reader",
    "CREATE POLICY p ON retail FOR INSERT TO reader",
    "COPY retail TO '/tmp/x'",
    "COPY (SELECT * FROM retail) TO '/tmp/x'",
    "COPY retail (price) TO PROGRAM 'cat'",
    "\\copy retail to x.csv",
    "\\copy other from x.csv",
    "\\echo insert into retail",
    "\\! rm -f retail",
]


@pytest.mark.parametrize("statement", HARMLESS_FILLS)
def test_rows_of_other_tables_are_passed_over(statement: str) -> None:
    """Also if they come from ours."""
    found = read(f"--\n{INSERTED}{statement}\n;\n{INSERTED}")
    assert list(found.good.values()) == [LANTERN, LANTERN]


# Changes.

CHANGES = [
    "UPDATE retail SET price = 1",
    "update only public.retail set price = 1",
    "UPDATE OR IGNORE retail SET price = 1",
    "UPDATE \"Retail\" AS r SET price = 1",
    "DELETE FROM retail WHERE invoice = ';'",
    "DELETE FROM ONLY retail r USING other WHERE true",
    "TRUNCATE other, retail",
    "TRUNCATE TABLE ONLY public.retail RESTART IDENTITY",
    "EXPLAIN ANALYZE DELETE FROM retail",
    "COPY (DELETE FROM retail RETURNING *) TO '/tmp/x'",
    "ALTER TABLE retail RENAME TO retail_2010",
    "ALTER TABLE IF EXISTS ONLY public.retail ADD a int, ALTER price TYPE int USING round(price)",
    "ALTER TABLE retail ALTER COLUMN price SET DATA TYPE int",
    "ALTER TABLE retail DETACH PARTITION retail_2010",
    "ALTER TABLE retail ATTACH PARTITION retail_2011 DEFAULT",
    "DROP SCHEMA IF EXISTS public CASCADE",
    "DROP DATABASE shop",
    "ALTER SCHEMA public RENAME TO old",
    "ALTER TABLE public.retail SET SCHEMA old",
    "DROP TABLE IF EXISTS retail CASCADE",
    "CREATE OR REPLACE TABLE retail (a int)",
    "WITH doomed AS (SELECT 1) DELETE FROM retail",
    "WITH gone AS (DELETE FROM retail RETURNING *) SELECT 1 FROM gone",
    "DO $$BEGIN IF true THEN DELETE FROM retail; END IF; END$$",
    "DO LANGUAGE plpgsql 'BEGIN UPDATE retail SET note = 1; END'",
    "ROLLBACK",
    "rollback work",
    "ABORT",
]  # fmt: skip
CHANGES_OF_MYSQL = [
    "UPDATE LOW_PRIORITY IGNORE `retail` SET price = 1",
    "UPDATE other o JOIN retail r ON o.a = r.a SET r.price = 1",
    "UPDATE customers c JOIN (SELECT 1 AS a) o ON o.c = c.a JOIN retail r USING (a) SET r.price = 0",
    "DELETE r FROM shop.retail AS r JOIN other ON 1",
    "DELETE QUICK FROM r USING retail AS r JOIN other",
    "/*!40000 TRUNCATE TABLE `retail` */",
    "RENAME TABLE other TO a, `retail` TO b",
    "PREPARE s FROM 'DELETE FROM retail'",
    "EXECUTE IMMEDIATE 'TRUNCATE retail'",
    "ALTER TABLE `retail` RENAME `retail_2010`",
    "ALTER TABLE retail TRUNCATE PARTITION p2010",
    "ALTER TABLE retail EXCHANGE PARTITION p WITH TABLE other",
    "ALTER TABLE `retail` MODIFY `price` int, MODIFY `id` int AUTO_INCREMENT",
    "BEGIN NOT ATOMIC DELETE FROM retail; END",
    "BEGIN NOT ATOMIC IF 1 THEN UPDATE retail SET price = 1; END IF; END",
]
CHANGES_OF_SQL_SERVER = [
    "DELETE [dbo].[retail] WHERE [a] = 1",
    "SET NOCOUNT ON\nDELETE TOP (10) FROM dbo.retail\nPRINT 'x'",
    "IF EXISTS (SELECT 1)\n    UPDATE r SET r.price = 1 FROM [dbo].[other] o JOIN [dbo].[retail] r ON r.a = o.a",
    "EXEC sp_rename N'dbo.retail', N'retail_2010'",
    "PRINT 'x'\nEXEC (N'UPDATE [dbo].[retail] SET a = 1')",
    "EXEC sys.sp_executesql @stmt = N'DELETE FROM dbo.retail'",
    "ALTER TABLE [dbo].[x] ADD a int\nALTER TABLE [dbo].[retail] SWITCH TO [dbo].[retail_2010]",
    "ALTER TABLE [dbo].[retail] ALTER COLUMN [price] int",
    "PRINT 'x'\nDROP DATABASE [shop]",
    "PRINT 'x'\nTRUNCATE TABLE [dbo].[retail]",
    "IF DB_NAME() = 'shop' UPDATE dbo.retail SET price = 1",
    "SET XACT_ABORT OFF UPDATE dbo.retail SET price = 1",
    "WHILE @@ROWCOUNT > 0 DELETE TOP (1000) FROM dbo.retail WHERE price < 0",
    "WITH c AS (SELECT *, ROW_NUMBER() OVER (ORDER BY a) AS n FROM dbo.retail)\nDELETE FROM c WHERE n > 1",
    "DELETE x FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY a) n FROM dbo.retail) x WHERE n > 1",
    "DELETE x FROM (SELECT a, ROW_NUMBER() OVER (ORDER BY isnull(a, (b))) FROM dbo.retail) AS x",
    "WITH c (a, b) AS (SELECT a, b FROM dbo.retail), d AS (SELECT * FROM c)\nDELETE d",
    "WITH c AS (SELECT * FROM dbo.retail) MERGE c USING o ON 1 = 1 WHEN MATCHED THEN DELETE",
    "IF @a = 1 CLOSE c\nROLLBACK TRAN",
    "IF @a = N'a' AND dbo.f(1) IS NULL BACKUP DATABASE [x] TO DISK = 'x'\nROLLBACK",
    "PRINT 'x'\nROLLBACK TRANSACTION",
    "PRINT 'x' ROLLBACK TRANSACTION",
    "DROP TABLE IF EXISTS #a\nROLLBACK TRAN",
    "IF @@ROWCOUNT = 0 PRINT 'none'\nROLLBACK TRAN",
    "IF @@ERROR <> 0 BEGIN PRINT 'a' END\nROLLBACK",
    "IF @@ERROR <> 0\nROLLBACK TRAN a\nROLLBACK",
    "SELECT CASE WHEN 1 = 1 THEN 2 ELSE 3 END\nROLLBACK",
    "BEGIN CATCH PRINT 'a' END CATCH\nROLLBACK",
    "INSERT [dbo].[audit] ([id]) VALUES (1)\nUPDATE [dbo].[retail] SET price = 1",
    "INSERT [dbo].[audit] ([id]) VALUES (1)\nROLLBACK TRAN",
    "CREATE TABLE [dbo].[x]([a] int)\nDELETE [dbo].[retail]",
]


@pytest.mark.parametrize(
    ("head", "change"),
    [
        *(("--\n", change) for change in CHANGES),
        *((MYSQL, change) for change in CHANGES_OF_MYSQL),
        *((SQL_SERVER, change) for change in CHANGES_OF_SQL_SERVER),
    ],
)
def test_what_changes_the_rows_refuses_the_dump(head: str, change: str) -> None:
    """After the first of them. Before it, there is nothing to change."""
    rows = OURS[:-2] + "\n" if head == SQL_SERVER else OURS
    said = refusal(f"{head}{rows}{change};\n")
    first = change.removeprefix("/*!40000 ")[:10]
    assert f", line {head.count(chr(10)) + 2}: expected nothing that changes or undoes the rows" in said
    assert f"found {first}" in said or f", after {first}" in said
    assert list(read(f"{head}{change};\n{rows}").good.values()) == [LANTERN]


HARMLESS = [
    "UPDATE other SET price = (SELECT max(price) FROM retail)",
    "UPDATE other o SET a = r.a FROM retail r WHERE r.a = o.a",
    "UPDATE archive.retail SET price = 1",
    "UPDATE retail_2 SET price = 1",
    "UPDATE other SET note = 'UPDATE retail SET price = 1; DELETE FROM retail; ROLLBACK'",
    "DELETE FROM other USING retail WHERE retail.a = other.a",
    "DELETE FROM other WHERE invoice IN (SELECT invoice FROM retail)",
    "UPDATE archive.retail r SET price = 1",
    "DELETE FROM archive.retail a USING public.retail b WHERE a.x = b.x",
    "ALTER TABLE archive.retail RENAME TO a",
    "ALTER TABLE other RENAME TO a",
    "ALTER TABLE public.retail RENAME COLUMN a TO b",
    "ALTER TABLE public.retail ALTER COLUMN type SET DEFAULT 1, ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE public.retail ALTER a SET NOT NULL, ADD COLUMN type text",
    "DROP SCHEMA archive CASCADE",
    "ALTER SCHEMA archive RENAME TO old",
    "ALTER SCHEMA public OWNER TO reader",
    "TRUNCATE other, \"retail;\"",
    "DROP TABLE IF EXISTS other",
    "DROP VIEW IF EXISTS retail",
    "MERGE INTO other USING retail ON true WHEN MATCHED THEN UPDATE SET a = 1",
    "WITH r AS (SELECT * FROM retail) DELETE FROM other",
    "SELECT * FROM retail FOR UPDATE",
    "LOCK TABLE retail IN EXCLUSIVE MODE",
    "ALTER TABLE ONLY public.retail ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES o ON DELETE CASCADE ON UPDATE CASCADE",
    "ALTER TABLE public.retail ENABLE TRIGGER ALL",
    "GRANT SELECT, UPDATE, DELETE ON TABLE public.retail TO reader",
    "CREATE RULE r AS ON UPDATE TO other DO INSTEAD DELETE FROM retail",
    "CREATE TRIGGER t BEFORE DELETE OR UPDATE ON retail EXECUTE FUNCTION f()",
    "COMMENT ON TABLE retail IS 'DELETE FROM retail'",
    "DO $$ BEGIN IF false THEN ROLLBACK; END IF; END $$",
    "DO $$ BEGIN UPDATE other SET a = 1; END $$",
    "COMMIT; ROLLBACK",
    "COMMIT; BEGIN; UPDATE other SET a = 1; ROLLBACK",
    "SAVEPOINT a; UPDATE other SET a = 1; ROLLBACK TO SAVEPOINT a; RELEASE SAVEPOINT a",
    "SAVEPOINT a; ROLLBACK WORK TO a",
]  # fmt: skip
HARMLESS_TO_MYSQL = [
    "UPDATE other o JOIN (SELECT max(price) AS a FROM retail WHERE (1)) r ON r.a = o.a SET o.a = 1",
    "LOCK TABLES `retail` WRITE",
    "RENAME TABLE other TO retail_2",
    "ALTER TABLE `retail` ADD PRIMARY KEY (`id`), MODIFY `id` int NOT NULL AUTO_INCREMENT, ADD PARTITION (a)",
    "CREATE TABLE o (a timestamp ON UPDATE CURRENT_TIMESTAMP, FOREIGN KEY (b) REFERENCES `retail` ON DELETE RESTRICT)",
    "/*!40000 ALTER TABLE `retail` DISABLE KEYS */",
    "UNLOCK TABLES",
    "SET @a = 'x, TIME_ZONE=1'",
    "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */",
    "/*!50003 DROP PROCEDURE IF EXISTS `retail` */",
    "/*M!999999\\- enable the sandbox mode */",
    "# it's a comment\nSELECT 1",
]
HARMLESS_TO_SQL_SERVER = [
    "UPDATE STATISTICS [dbo].[retail]",
    "ALTER TABLE [dbo].[retail] WITH CHECK ADD CONSTRAINT [switch] CHECK ([type]>(0))\nALTER TABLE [x] SWITCH TO [y]",
    "EXEC sp_rename N'dbo.other', N'other_2010'",
    "EXEC dbo.sp_executesql @statement = N'-- it''s one\nCREATE PROCEDURE [dbo].[p] AS\nDELETE FROM dbo.retail'",
    "EXEC sys.sp_addextendedproperty @name = N'MS_Description', @value = N'DELETE FROM retail'",
    "GRANT SELECT,\nUPDATE ON [dbo].[retail] TO [x]\nGRANT\nDELETE ON [dbo].[retail] TO [x]",
    "UPDATE o SET o.a = 1 FROM [dbo].[other] o JOIN [dbo].[retail] r ON r.a = o.a",
    "WITH c AS (SELECT * FROM [dbo].[retail]) DELETE o FROM [dbo].[other] o JOIN c ON c.a = o.a",
    "SELECT * FROM [x] LEFT MERGE JOIN [dbo].[retail] ON 1 = 1",
    "SELECT [delete], [update] [retail] FROM [dbo].[x] FOR UPDATE OF retail",
    "ALTER TABLE [dbo].[retail] ADD FOREIGN KEY ([a]) REFERENCES [b] ([a]) ON DELETE CASCADE ON UPDATE SET NULL",
    "IF @@ERROR <> 0\n    ROLLBACK TRANSACTION",
    "END TRY\nBEGIN CATCH\n    ROLLBACK\nEND CATCH",
    "IF @@ERROR <> 0\nBEGIN\n    PRINT 'failed';\n    ROLLBACK TRAN;\nEND\nELSE\n    COMMIT TRAN",
    "IF EXISTS (SELECT 1 FROM [a]) BEGIN BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; END; ROLLBACK TRAN; END",
    "IF @@ERROR = 0 COMMIT TRAN ELSE ROLLBACK TRAN",
    "IF @@ERROR <> 0 AND dbo.f(N'a', 1) IS NOT NULL OR NOT EXISTS (SELECT 1 FROM [a]) ROLLBACK TRAN",
    "BEGIN CATCH\n    SELECT ERROR_MESSAGE();\n    INSERT [log] (a) VALUES (1)\n    ROLLBACK TRAN;\nEND CATCH",
    "ALTER DATABASE [shop] SET SINGLE_USER WITH ROLLBACK IMMEDIATE",
    "INSERT [dbo].[rollback] ([rollback]) VALUES (1)\nCREATE TABLE [dbo].[y]([update] int, [a] int)",
    "COMMIT TRAN\nBEGIN TRAN\nPRINT 'x'\nROLLBACK TRAN",
    "SAVE TRAN a\nROLLBACK TRAN a",
    "PRINT '\nROLLBACK\nDELETE FROM retail\n'",
]


@pytest.mark.parametrize(
    ("head", "statement"),
    [
        *(("--\n", statement) for statement in HARMLESS),
        *((MYSQL, statement) for statement in HARMLESS_TO_MYSQL),
        *((SQL_SERVER, statement) for statement in HARMLESS_TO_SQL_SERVER),
    ],
)
def test_what_leaves_the_rows_alone_is_passed_over(head: str, statement: str) -> None:
    """Also if it names the table."""
    rows = OURS[:-2].replace("retail", "public.retail") + (";\n" if head != SQL_SERVER else "\n")
    rows = rows.replace("public.", "") if head == MYSQL else rows
    begin = "BEGIN TRAN\n" if head == SQL_SERVER else "BEGIN;\n"
    found = read(f"{head}{begin}{rows}{statement};\n{rows}COMMIT;\n")
    assert list(found.good.values()) == [LANTERN, LANTERN]


def test_a_change_is_one_of_the_database_that_the_script_then_uses() -> None:
    """USE and what follows it may be in one text of SQL Server."""
    rows = f"{SQL_SERVER}{OURS}USE [archive]\nDELETE FROM [dbo].[retail]\n"
    assert list(read(rows).good.values()) == [LANTERN]
    assert "found DELETE FROM [dbo].[retail], after USE [shop]" in refusal(
        f"{rows}GO\nUSE [shop]\nDELETE FROM [dbo].[retail]\n"
    )


def test_only_rows_of_the_transaction_that_is_undone_count() -> None:
    """Rows after a savepoint are undone with it, those before it are not; a second BEGIN begins nothing."""
    assert "found ROLLBACK TO SAVEPOINT a" in refusal(
        f"BEGIN;\nSAVEPOINT a;\n{OURS}ROLLBACK TO SAVEPOINT a;\nCOMMIT;\n"
    )
    assert "found ROLLBACK TO b" in refusal(f"BEGIN;\n{OURS}SAVEPOINT a;\n{OURS}ROLLBACK TO b;\nCOMMIT;\n")
    assert "line 4: " in refusal(f"BEGIN;\n{OURS}BEGIN;\nROLLBACK;\n")
    nested = f"{SQL_SERVER}BEGIN TRAN\nBEGIN TRAN\n{OURS}COMMIT TRAN\nROLLBACK TRAN\n"
    assert "found ROLLBACK TRAN, after COMMIT TRAN" in refusal(nested)
    empty = f"BEGIN;\n{COPY}\\.\nROLLBACK;\n{BLOCK}"
    assert len(read(empty).good) == 1


@pytest.mark.parametrize("end", ["COMMIT", "END TRANSACTION", "RELEASE a", "SET autocommit = 1"])
@pytest.mark.parametrize(
    "begin", [SQLITE, "BEGIN", "-- MySQL dump\nSTART TRANSACTION", "SET autocommit=0", "SAVEPOINT a"]
)
def test_rows_that_are_never_committed_refuse_the_dump(begin: str, end: str) -> None:
    """Its end is missing. After their COMMIT, another transaction may be open."""
    rows = f"--\n{begin};\n{OURS}SAVEPOINT b;\n{OURS}RELEASE SAVEPOINT b;\n"
    begins = rows.count("\n", 0, rows.index(OURS)) - begin.endswith("\n")
    assert refusal(rows).startswith(never := f"a dump, line {begins}: expected a COMMIT of the rows after this")
    kept = f"{rows}{end};\nBEGIN;\n"
    if end == "RELEASE a" and begin != "SAVEPOINT a":  # which is a savepoint of SQLite's that began the transaction
        assert refusal(kept).startswith(never)
    else:
        assert len(read(kept).good) == 2
    if begin == "SET autocommit=0":
        said = str(outcome(f"{kept}COMMIT;\n{OURS}"))
        assert ("expected a COMMIT" in said) == (end != "SET autocommit = 1")
    assert refusal(f"{rows}COMMIT AND CHAIN;\n{OURS}").startswith(never)


PIECES_OF_SQLITE = [
    *["INSERT INTO retail VALUES {row}", "BEGIN", "ROLLBACK", "INSERT INTO other VALUES {row}"] * 3,
    "INSERT OR REPLACE INTO retail VALUES {row}, {row}",
    *("BEGIN", "BEGIN IMMEDIATE", "COMMIT", "END TRANSACTION", "ROLLBACK", "SAVEPOINT a", "SAVEPOINT b", "RELEASE a"),
    *("ROLLBACK TO a", "ROLLBACK TRANSACTION TO SAVEPOINT b", "RELEASE SAVEPOINT b", "INSERT INTO other VALUES {row}"),
    *("UPDATE retail SET price = 1", "UPDATE \"retail\" AS r SET price = 2", "UPDATE OR IGNORE [retail] SET price = 3"),
    *("UPDATE other SET price = (SELECT max(price) FROM retail)", "DELETE FROM other", "DELETE FROM retail"),
    *("INSERT INTO other SELECT * FROM retail", "REPLACE INTO retail SELECT * FROM other", "DROP TABLE retail"),
    *("CREATE TABLE retail AS SELECT * FROM other", "CREATE TABLE a (\"update\" int, [retail] int)"),
    *("DELETE FROM a WHERE [retail] = 1", "ALTER TABLE retail RENAME TO old", "ALTER TABLE other RENAME TO retail"),
    *("WITH x AS (SELECT 1) DELETE FROM retail", "WITH retail_3 AS (SELECT * FROM retail) UPDATE other SET price = 3"),
    "CREATE TRIGGER t AFTER UPDATE OF price ON other WHEN old.price > 0 BEGIN DELETE FROM retail; "
    "INSERT INTO retail VALUES {row}; SELECT CASE 1 WHEN 1 THEN 2 END; END",
    *("DROP TRIGGER t", "SELECT 'it''s; DELETE FROM retail;'", "/* it's; */ SELECT 1", "SELECT 1 -- it's;\n", "VACUUM"),
]  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=800)
@given(st.lists(st.sampled_from(PIECES_OF_SQLITE), min_size=2, max_size=12))
def test_what_is_read_is_what_sqlite_then_holds(pieces: list[str]) -> None:
    """Whatever the script does, unless it is refused. What fails in SQLite itself is left out of the script."""
    numbers = itertools.count(536365)
    columns = COLUMNS.replace(",", " text,").replace("price text", "price numeric")
    tables = [f"CREATE TABLE {name} ({columns} text)" for name in ("retail", "other")]
    script = ["PRAGMA foreign_keys = OFF"]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for piece in (*tables, *pieces):
            statement = re.sub("{row}", lambda _: ROW.replace("536365", str(next(numbers))), piece)
            try:
                connection.execute(statement)
            except sqlite3.OperationalError:
                continue
            script.append(statement)
        if connection.in_transaction:  # as the end of the script does
            connection.execute("ROLLBACK")
        try:
            held = connection.execute("SELECT invoice_no, unit_price FROM retail").fetchall()
        except sqlite3.OperationalError:
            held = []
    found = outcome(";\n".join(script) + ";\n")
    if isinstance(found, Read):
        assert sorted((line[0], float(line[5] or 0)) for line in found.good.values()) == sorted(held)


def test_a_condition_of_sql_server_ends_with_its_batch() -> None:
    """At the latest."""
    assert "found ROLLBACK" in refusal(f"{SQL_SERVER}BEGIN TRAN\n{OURS}IF 1 = 1 BEGIN PRINT 'a';\nGO\nROLLBACK\n")


# Times.

TIMES = f"{MYSQL}/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;\n/*!40103 SET TIME_ZONE='+00:00' */;\n"
SUMMER = ROW.replace("2010-12-01 08:26:00", "2011-07-01 23:30:00")
KEPT, CONVERTED = "2011-07-01 23:30:00", "2011-07-02 00:30:00"


def created(date_type: str) -> str:
    columns = ", ".join(
        f"`{name}` {date_type if name == 'invoice_date' else 'text'} NULL" for name in COLUMNS.split(", ")
    )
    return f"CREATE TABLE `retail` ({columns});\n"


@pytest.mark.parametrize(
    ("set_", "date_type", "moment"),
    [
        (TIMES, "timestamp", CONVERTED),
        (TIMES, "TIMESTAMP(6)", CONVERTED),
        (TIMES, "datetime", KEPT),
        (MYSQL, "timestamp", KEPT),
        (MYSQL + 'SET time_zone = "+00:00";\n', "timestamp", CONVERTED),
        (MYSQL + "SET NAMES utf8, @@session.time_zone = 'UTC';\n", "timestamp", CONVERTED),
        (MYSQL + "SET SESSION time_zone = '+1:00';\n", "timestamp", KEPT),
        (MYSQL + "SET time_zone = '-01:00';\n", "timestamp", "2011-07-02 01:30:00"),
        (MYSQL + "SET time_zone = 'Europe/London';\n", "timestamp", KEPT),
        (TIMES + "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n", "timestamp", KEPT),
        (TIMES + "SET @x = @@time_zone, time_zone = 'SYSTEM';\nSET time_zone = @x;\n", "timestamp", CONVERTED),
        (TIMES + "/*!40103 SET TIME_ZONE=IFNULL(@OLD_TIME_ZONE, 'system') */;\n", "timestamp", KEPT),
        (TIMES + "SET GLOBAL time_zone = 'SYSTEM';\n", "timestamp", CONVERTED),
    ],
)
def test_times_of_mysql_are_in_the_zone_that_the_script_sets(set_: str, date_type: str, moment: str) -> None:
    """MySQL converts a TIMESTAMP, and nothing else; mysqldump has it do so to UTC."""
    layouts = ("retail", f"`retail`({COLUMNS})", f"shop.retail (`{COLUMNS.upper().replace(', ', '`, `')}`)")
    for layout in layouts:
        found = read(f"{set_}{created(date_type)}INSERT INTO {layout} VALUES {SUMMER},{ROW};\n")
        assert next(line[4] for line in found.good.values()) == moment
        assert ("times" in found.facts) == (moment != KEPT or "+1" in set_)


def test_a_time_zone_that_is_not_known_is_refused_where_it_matters() -> None:
    """With dates of another type, it does not."""
    set_ = f"{MYSQL}SET time_zone = 'America/New_York';\n"
    rows = f"INSERT INTO `retail` VALUES {SUMMER};\n"
    assert "line 4: the time zone America/New_York is not supported" in refusal(f"{set_}{created('timestamp')}{rows}")
    assert len(read(f"{set_}{created('datetime')}{rows}").good) == 1
    missing = ROW.replace("'2010-12-01 08:26:00'", "NULL")
    assert (
        read(f"{TIMES}{created('timestamp')}INSERT INTO `retail` VALUES {missing};\n").rejects[0].column
        == "invoice_date"
    )


# SQLite's functions.


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        (r"replace('RED\nBOX','\n',char(10))", "RED\nBOX"),
        (r"replace(replace('it''s\r\nRED','\r',char(13)),'\n',char(10))", "it's\r\nRED"),
        (r"replace('C:\new\012BOX','\012',char(10))", "C:\\new\nBOX"),
        (r"replace('\n \012(\n0)BOX','(\n0)',char(10))", "\\n \\012\nBOX"),
        (r"unistr('RED\u000aBOX')", "RED\nBOX"),
        (r"unistr('it''s \\ \0027 \u0027\+00000a\U0001F600')", "it's \\ ' '\n😀"),
        (r"'replace(''a\nb'',''\n'',char(10))'", r"replace('a\nb','\n',char(10))"),
    ],
)  # fmt: skip
def test_texts_with_line_breaks_are_what_sqlite_takes_them_for(written: str, meaning: str) -> None:
    """As `.dump` writes them, in any layout of the rows. What SQLite at hand says is right."""
    if "unistr" not in written:
        assert sqlite3.connect(":memory:").execute(f"SELECT {written}").fetchone() == (meaning,)
    row = ROW.replace("'LANTERN'", written)
    found = read(f"{SQLITE}{INSERT}{ROW};\n{INSERT}{row},{row};\n{INSERT}{ROW};\nCOMMIT;\n")
    assert not found.rejects
    assert [line[2] for line in found.good.values()] == ["LANTERN", meaning, meaning, "LANTERN"]


def test_a_table_of_sqlite_in_backticks_is_not_one_of_mysql() -> None:
    """Backslashes do not escape there."""
    row = ROW.replace("LANTERN", "C:\\")
    found = read(f"{SQLITE}CREATE TABLE `retail` (a);\n{INSERT}{row};\n{INSERT}{ROW};\nCOMMIT;\n")
    assert [line[2] for line in found.good.values()] == ["C:\\", "LANTERN"]


@pytest.mark.parametrize("call", ["replace('a','b','c')", "unistr(1)", r"replace('a\nb','\n',char(9))", "upper('a')"])
def test_other_calls_are_no_values(call: str) -> None:
    """Their line is rejected, as it is written."""
    found = read(f"{SQLITE}{INSERT}{ROW};\n{INSERT}{ROW.replace(chr(39) + 'LANTERN' + chr(39), call)};\nCOMMIT;\n")
    assert (len(found.good), [call in reject.text for reject in found.rejects]) == (1, [True])


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE{' ' * 200_000}x;",
        f"WITH {'(UPDATE ' * 30_000};",
        f"WITH {'$a$ ' * 50_000};",
        f"UPDATE retail {'retail ' * 30_000};",
        f"DELETE {'a.' * 100_000}1;",
        f"TRUNCATE {'a, ' * 60_000}b;",
        f"SET{' ' * 200_000}x;",
        f"SET {', ' * 100_000};",
        f"SET {'@a=' * 60_000};",
        f"CREATE DEFINER={'a ' * 100_000};",
        f"CREATE TRIGGER t {'BEGIN ' * 40_000};",
        f"CREATE TRIGGER t {'BEGIN END ' * 20_000};",
        f"CREATE RULE r {'(' * 200_000};",
        f"ROLLBACK{' ' * 200_000}TO;",
        f"{INSERT}({'replace(' * 25_000});",
        f"{INSERT}({'unistr(' * 25_000}'');",
        f"PRINT 1\n{' ' * 200_000}{'UPDATE a' * 20_000};",
        "\n" * 200_000 + ";",
        "SELECT 1" + "\nCOPY [" * 40_000 + ";",
        "COMMIT" + "\nROLLBACK" * 25_000 + ";",
        "BEGIN CATCH" + " IF(BEGIN" * 25_000 + ";",
        f"DELETE c FROM {'a AS (SELECT ' * 20_000};",
        f"DELETE c FROM {'(SELECT (a)' * 20_000};",
        f"DELETE c FROM retail {'a (' * 60_000};",
        f"DELETE c FROM retail {') [' * 60_000};",
        f"IF {'a ' * 100_000} ROLLBACK;",
        f"RENAME TABLE {'TO [' * 50_000};",
        f"EXEC {'sp_rename , ' * 20_000};",
        f"DO {'CREATE OR ' * 25_000};",
        f"DO {'$ DELETE FROM ' * 16_000};",
        "PRINT [" + "\nUSE [" * 40_000 + "];",
        "PRINT [" + "\nSAVE TRAN [" * 20_000 + "];",
        f"UPDATE x SET a = 1 FROM {'retail [' * 20_000};",
        f"COPY {'COPY a (' * 30_000};",
        f"SELECT 1{' INSERT OR a' * 20_000};",
        f"CREATE TABLE {'a SELECT ' * 25_000};",
        f"CREATE {'a ' * 100_000};",
        f"ALTER TABLE retail {'MODIFY ' * 30_000};",
        f"ALTER TABLE {'retail ALTER COLUMN [' * 10_000};",
        f"{'ALTER TABLE IF EXISTS ' * 10_000}",
        f"PRINT {'sp_rename ' * 20_000};",
        f"DROP{' ' * 200_000}SCHEMA;",
    ],
    ids=lambda statement: statement[:16].strip(),
)  # fmt: skip
def test_time_does_not_grow_with_the_square_of_such_a_statement(statement: str) -> None:
    """Whoever wrote the script, and with rows before it."""
    for head in ("--\n", MYSQL, SQL_SERVER):
        began = time.process_time()
        outcome(f"{head}{OURS}{statement}\n{OURS}")
        assert time.process_time() - began < 5
