"""What statements would do to the rows of tables: which they fill or change, and whether they undo a transaction.

All of them are given without their texts. What they would do counts wherever it is written, whatever the condition:
statements of SQL Server need no end, so that several may be one, and others stand in blocks or after WITH.
"""

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from lgs_assets.sources.sql_names import IDENTIFIER, NAME, QUOTED_OR_IN_BRACKETS, Names, unquoted

_NAMED = QUOTED_OR_IN_BRACKETS.pattern
_MODIFIER = (
    r"(?:DELAYED|FROM|HIGH_PRIORITY|IF\s+EXISTS|IGNORE|INTO|LOW_PRIORITY|ONLY|OR\s+\w+|QUICK|TABLE"
    r"|TOP\s*\([^()]{0,99}\)(?:\s*PERCENT\b)?)\s+"
)

# What brings rows. A privilege is followed by no table, nor is CREATE OR REPLACE; COPY may read a table, too. A table
# that gets another's name brings its own.
_FILLING = re.compile(
    rf"{_NAMED}|(?<![\w@#$.])(?:"
    rf"(?:INSERT|INTO|MERGE)\s+(?:{_MODIFIER}){{0,4}}(?P<filled>{NAME})"
    rf"|REPLACE\s+(?:(?:DELAYED|INTO|LOW_PRIORITY)\s+){{0,2}}(?P<replaced>{NAME})"
    rf"|(?:RENAME|SWITCH)\s+(?:TO\s+|AS\s+)?(?P<renamed>{NAME})"
    rf"|COPY\s+(?P<copied>{NAME})(?!\s*(?:\.|(?:\([^()]*\)\s*)?TO\b)))",
    re.I,
)
_CREATE_TABLE = re.compile(rf"CREATE\s+(?:\w+\s+){{0,4}}?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?({NAME})", re.I)
_RENAME_TABLES = re.compile(r"\s*RENAME\s+TABLES?\b", re.I)
_NEW_NAME = re.compile(rf"{_NAMED}|(?<![\w$])TO\s+(?P<renamed>{NAME})", re.I)
_QUERY_OF_TABLE = re.compile(rf"{_NAMED}|(?<![\w$])(?P<query>SELECT|AS\s+(?:EXECUTE|TABLE|VALUES))\b", re.I)

_VERB = (
    r"(?:UPDATE|DELETE|MERGE|TRUNCATE|RENAME\s+TABLES?|(?:DROP|CREATE\s+OR\s+REPLACE)\s+TABLE)\b"
    r"(?!\s+(?:CASCADE|CURRENT_TIMESTAMP|JOIN|LOCALTIME|LOCALTIMESTAMP|NO|NOW|ON|RESTRICT|SET|STATISTICS)\b)"
)
# After these words, no statement begins.
_CHANGING = re.compile(
    rf"{_NAMED}"
    rf"|(?:,|\b(?:AFTER|BEFORE|DENY|FOR|GRANT|KEY|OF|OR|REVOKE))\s*{_VERB}|(?<![\w@#$.=])(?P<verb>{_VERB})",
    re.I,
)
_MODIFIERS = re.compile(rf"\A\s*(?:{_MODIFIER})*", re.I)
_END_OF_TARGETS = re.compile(
    rf"{_NAMED}|(?P<end>\b(?:SET|FROM|USING|WHERE|ON|RETURNING|OUTPUT|ORDER|LIMIT|WITH|WHEN)\b|[;()]|\Z)", re.I
)
# MySQL joins the tables of an UPDATE before SET.
_END_OF_JOINED = re.compile(rf"{_NAMED}|(?P<end>\b(?:SET|UPDATE)\b|;|\Z)", re.I)
_QUERY = re.compile(r"\(\s*SELECT\b[^()]*(?:\([^()]*\)[^()]*)*\)", re.I)
# Of SQL Server, whose changes of a query are some of its tables.
_NAMED_QUERY = re.compile(
    rf"({IDENTIFIER})\s*(?:\([^()]*\)\s*)?AS\s*\(\s*(?:SELECT|WITH)\b|\)\s*(?:AS\s+)?({IDENTIFIER})", re.I
)
_REACH_CHARACTERS = 1000

_ALTER_TABLE = re.compile(rf"\bALTER\s+TABLE\s+(?:(?:IF\s+EXISTS|ONLY)\s+)*(?P<table>{NAME})", re.I)
# What it does to rows: the table gets another name, a part of them goes or comes, or their values get another type.
# A number that counts on, as phpMyAdmin makes one, changes no value.
_ALTERING = re.compile(
    rf"{_NAMED}|\b(?P<altering>RENAME\b(?!\s+(?:COLUMN|CONSTRAINT|INDEX|KEY)\b)|SET\s+SCHEMA\b"
    r"|(?:ATTACH|CONVERT|DETACH|DISCARD|DROP|EXCHANGE|IMPORT|TRUNCATE)\s+(?:PARTITION|TABLESPACE)\b|SWITCH\b"
    r"|(?:CHANGE|MODIFY)\b(?![^,]{0,300}\bAUTO_INCREMENT\b)"
    rf"|ALTER\s+(?!COLUMN\b){IDENTIFIER}\s+(?:SET\s+DATA\s+)?TYPE\b"
    rf"|ALTER\s+COLUMN\s+{IDENTIFIER}\s+(?!(?:ADD|DROP|RESET|RESTART|SET(?!\s+DATA\b))\b)\w)",
    re.I,
)
_PLACE_AWAY = re.compile(
    rf"\b(?:DROP|ALTER(?=\s+\w+\s+{IDENTIFIER}\s+RENAME\b))\s+(DATABASE|SCHEMA)\s+(?:IF\s+EXISTS\s+)?({IDENTIFIER})",
    re.I,
)

_STATEMENT = re.compile(
    r"\s*(?:(?P<begin>BEGIN(?!\s+NOT\b)|START\s+TRANSACTION|(?:COMMIT|END)\s+(?:WORK\s+|TRANSACTION\s+)?AND\s+CHAIN)\b"
    r"|(?P<commit>COMMIT|END)\b|SET\s+(?:SESSION\s+)?AUTOCOMMIT\s*=\s*(?:(?P<by_hand>0|OFF)|(?P<by_itself>1|ON))\b"
    rf"|SAVEPOINT\s+(?P<savepoint>{IDENTIFIER})|RELEASE\s+(?:SAVEPOINT\s+)?(?P<release>{IDENTIFIER})"
    r"|(?P<rollback>ROLLBACK|ABORT)\b(?:\s+(?:WORK|TRANSACTION)\b)?"
    rf"(?:\s+TO\b\s+(?:SAVEPOINT\s+)?(?P<to>{IDENTIFIER}))?)",
    re.I,
)
# The words of SQL Server that say whether a ROLLBACK happens only on a condition, such as that something has failed.
_WORD_OF_SQL_SERVER = re.compile(
    rf"(?:{QUOTED_OR_IN_BRACKETS.pattern})|(?P<parenthesis>[()])|(?<![\w@#$.])(?:"
    r"(?P<begin>BEGIN\s+(?:DISTRIBUTED\s+)?TRAN(?:SACTION)?)|(?P<commit>COMMIT)"
    rf"|SAVE\s+TRAN(?:SACTION)?\s+(?P<savepoint>{IDENTIFIER})"
    r"|(?P<rollback>ROLLBACK)\b(?!\s+(?:IMMEDIATE|AFTER)\b)(?:[ \t]+(?:WORK|TRAN(?:SACTION)?)\b)?"
    rf"(?:[ \t]+(?!END\b|ELSE\b)(?P<to>{IDENTIFIER}))?"
    r"|(?P<catch>BEGIN\s+CATCH)|(?P<block>BEGIN|CASE)|(?P<end>END)"
    # Not that of DROP TABLE IF EXISTS.
    r"|(?P<condition>IF(?!\s+EXISTS\b\s*[^\s(])|ELSE)"
    # What a condition consists of, apart from functions; any other word begins the statement that it governs.
    r"|AND|BETWEEN|ESCAPE|EXISTS|IN|IS|LIKE|N|NOT|NULL|OR|THEN|WHEN"
    r"|(?P<other>EXEC|EXECUTE|PRINT|RAISERROR|RETURN|SELECT|[^\W\d][\w$]*(?![\w$]|\s*[(.]))"
    r")(?![\w@#$])",
    re.I,
)


class Effect(NamedTuple):
    """What a statement, or one of several of SQL Server, does to a table."""

    table: str
    """Its name, as it is written."""
    text: str
    """The statement from where it says so."""


def filled_tables(statement: str, *, of_sql_server: bool) -> Iterator[Effect]:
    """The tables into which a statement would bring rows."""
    for found in (_NEW_NAME if _RENAME_TABLES.match(statement) else _FILLING).finditer(statement):
        if found.lastgroup:
            yield Effect(found[found.lastgroup], statement[found.start() :])
    create = None if of_sql_server else _CREATE_TABLE.match(statement)
    if create and _is_found(_QUERY_OF_TABLE, statement, create.end(), len(statement)):
        yield Effect(create[1], statement)


def changed_tables(statement: str, table: str, *, of_sql_server: bool) -> Iterator[Effect]:
    """The tables whose rows a statement changes or takes away; for an alias of `table`, what it stands for."""
    aliases: dict[Names, str] | None = None
    for verb in _CHANGING.finditer(statement):
        if not verb["verb"]:
            continue
        rest = _MODIFIERS.sub("", statement[verb.end() : verb.end() + _REACH_CHARACTERS], count=1)
        ends = _END_OF_JOINED if verb[0].upper() == "UPDATE" else _END_OF_TARGETS
        end = next(found.start() for found in ends.finditer(rest) if found["end"] is not None)
        for name in re.findall(NAME, _QUERY.sub("", rest[:end])):
            aliases = _aliases(statement, table, of_sql_server=of_sql_server) if aliases is None else aliases
            yield Effect(aliases.get(unquoted(name), name), statement[verb.start() :])
    alters = list(_ALTER_TABLE.finditer(statement))
    for alter, following in itertools.zip_longest(alters, alters[1:]):
        if _is_found(_ALTERING, statement, alter.end(), following.start() if following else len(statement)):
            yield Effect(alter["table"], statement[alter.start() :])


def places_taken_away(statement: str) -> list[tuple[str, str]]:
    """The databases and schemas that a statement drops or renames: which of the two, and its name as it is written."""
    return _PLACE_AWAY.findall(statement)


def _is_found(pattern: re.Pattern[str], statement: str, start: int, end: int) -> bool:
    """Whether what a pattern names occurs, other than within a name in quotation marks."""
    return any(found.lastgroup for found in pattern.finditer(statement, start, end))


def _aliases(statement: str, table: str, *, of_sql_server: bool) -> dict[Names, str]:
    """The other names that a statement gives to a table or, in SQL Server, to a query of it: for each, the table's."""
    named = rf"(?<![\w$.\"`\]])((?:{IDENTIFIER}\s*\.\s*){{0,3}}[\"`\[]?{table}[\"`\]]?)\s+(?:AS\s+)?({IDENTIFIER})"
    aliases = {unquoted(alias): name for name, alias in re.findall(named, statement, re.I)}
    if of_sql_server and re.search(rf"\b{table}\b", statement, re.I):
        aliases |= {unquoted(before or after): table for before, after in _NAMED_QUERY.findall(statement)}
    return aliases


class Transactions:
    """Which rows could still be undone. Rows are counted by the number of the last one."""

    def __init__(self, *, of_sql_server: bool) -> None:
        self._of_sql_server = of_sql_server
        self._depth = 0
        self._commits_itself = True
        self._kept = 0
        self._savepoints: dict[Names, int] = {}
        self._outermost_savepoint: Names | None = None
        """The one that began the transaction, as it does in SQLite, where its release ends it."""
        self._blocks = 0
        """Of SQL Server, how many it is in: from BEGIN or CASE to END."""
        self._conditional_block = 0
        """The number of the outermost of them that runs only on a condition, 0 if none does."""

    def undo(self, statement: str, rows: int) -> str:
        """Takes a statement into account. Returns the part that undoes some of the rows, empty if none does."""
        if self._of_sql_server:
            undone = [found for found in self._unconditional(statement) if self._undoes(found, rows)]
            return undone[0][0] if undone else ""
        found = _STATEMENT.match(statement)
        return found[0] if found and self._undoes(found, rows) else ""

    def are_open(self, rows: int) -> bool:
        """Whether some of the rows are still to be committed. SQL Server's may be on conditions: they are not asked."""
        return not self._of_sql_server and self.is_open and rows > self._kept

    @property
    def is_open(self) -> bool:
        """Whether a transaction has begun, and not ended."""
        return self._depth > 0 or not self._commits_itself

    def end_batch(self) -> None:
        """Takes into account that no block goes on."""
        self._blocks = self._conditional_block = 0

    def _unconditional(self, statement: str) -> Iterator[re.Match[str]]:
        """What statements of SQL Server do with transactions, apart from each ROLLBACK that happens on a condition."""
        parentheses, on_condition = 0, False
        for found in _WORD_OF_SQL_SERVER.finditer(statement):
            kind = found.lastgroup
            if kind == "parenthesis":
                parentheses = max(0, parentheses + (1 if found[0] == "(" else -1))
            elif kind is None or parentheses:
                pass
            elif kind == "condition":
                on_condition = True
            elif kind in ("block", "catch"):
                self._blocks += 1
                if (on_condition or kind == "catch") and not self._conditional_block:
                    self._conditional_block = self._blocks
                on_condition = False
            else:
                if kind == "end":
                    if self._conditional_block == self._blocks:
                        self._conditional_block = 0
                    self._blocks = max(0, self._blocks - 1)
                elif kind != "other" and not (found["rollback"] and (on_condition or self._conditional_block)):
                    yield found
                on_condition = False

    def _undoes(self, found: re.Match[str], rows: int) -> bool:
        kind = found.lastgroup or ""
        name = unquoted(found[kind])
        if kind == "to":
            return rows > self._savepoints.get(name, self._kept)
        if kind == "rollback" and rows > self._kept:
            return True
        if kind == "savepoint":
            self._savepoints[name] = rows
            if not (self.is_open or self._of_sql_server):
                self._depth, self._outermost_savepoint = 1, name
            return False
        if kind == "release" and name != self._outermost_savepoint:
            return False
        is_outermost = not self.is_open
        if kind == "by_hand":
            self._commits_itself = False
        elif kind == "begin":
            # Only SQL Server counts how often a transaction is begun.
            self._depth = self._depth + 1 if self._of_sql_server else 1
        else:
            self._commits_itself |= kind == "by_itself"
            self._depth = max(0, self._depth - 1) if kind == "commit" else 0
            is_outermost = not self._depth
        if is_outermost:
            self._kept = rows
            self._savepoints.clear()
            self._outermost_savepoint = None
        return False
