"""What statements would do to rows that are there: which tables they change, and whether they undo a transaction.

All of them are given without their texts. A change counts wherever it is written, whatever the condition.
"""

import re
from collections.abc import Iterator

from lgs_assets.sources.sql_names import IDENTIFIER, NAME, QUOTED_OR_IN_BRACKETS, Names, unquoted

_VERB = (
    r"(?:UPDATE|DELETE|TRUNCATE|MERGE|(?:DROP|CREATE\s+OR\s+REPLACE)\s+TABLE)\b"
    r"(?!\s+(?:CASCADE|NO|ON|SET|STATISTICS)\b)"
)
_WITH = re.compile(r"WITH\b", re.I)
_AFTER_WITH = re.compile(rf"[()]\s*(?P<verb>{_VERB})", re.I)
_FIRST = re.compile(rf"\A(?P<verb>{_VERB})", re.I)
# Statements of SQL Server need no end: several may be one. MariaDB runs blocks of them. After these words, none begins.
_ANYWHERE = re.compile(
    rf"{QUOTED_OR_IN_BRACKETS.pattern}"
    rf"|(?:,|\b(?:AFTER|BEFORE|DENY|FOR|GRANT|KEY|OF|OR|REVOKE))\s*{_VERB}|(?<![\w@#$.])(?P<verb>{_VERB})",
    re.I,
)
_BLOCK = re.compile(r"BEGIN\s+NOT\b", re.I)
_MODIFIERS = re.compile(
    r"\A\s*(?:(?:FROM|IGNORE|INTO|LOW_PRIORITY|ONLY|QUICK|TABLE|IF\s+EXISTS|OR\s+\w+"
    r"|TOP\s*\([^()]*\)(?:\s*PERCENT\b)?)\s+)*",
    re.I,
)
_END_OF_TARGETS = re.compile(
    rf"{QUOTED_OR_IN_BRACKETS.pattern}"
    r"|(?P<end>\b(?:SET|FROM|USING|WHERE|ON|RETURNING|OUTPUT|ORDER|LIMIT|WITH|WHEN)\b|[;()]|\Z)",
    re.I,
)
# MySQL joins the tables of an UPDATE before SET.
_END_OF_JOINED = re.compile(rf"{QUOTED_OR_IN_BRACKETS.pattern}|(?P<end>\b(?:SET|UPDATE)\b|;|\Z)", re.I)
_QUERY = re.compile(r"\(\s*SELECT\b[^()]*(?:\([^()]*\)[^()]*)*\)", re.I)
_NAMED_QUERY = re.compile(
    rf"(?P<before>{IDENTIFIER})\s+AS\s*(?P<query>{_QUERY.pattern})"
    rf"|(?P<derived>{_QUERY.pattern})\s*(?:AS\s+)?(?P<after>{IDENTIFIER})",
    re.I,
)
_REACH_CHARACTERS = 1000

_STATEMENT = re.compile(
    r"\s*(?:(?P<begin>BEGIN(?!\s+NOT\b)|START\s+TRANSACTION)\b|(?P<commit>COMMIT|END)\b"
    rf"|SAVEPOINT\s+(?P<savepoint>{IDENTIFIER})"
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
    r"|(?P<other>ALTER|CREATE|DECLARE|DELETE|DROP|EXEC|EXECUTE|GOTO|INSERT|MERGE|PRINT|RAISERROR|RETURN|SELECT|SET|THROW"
    r"|TRUNCATE|UPDATE|USE|WAITFOR|WITH)"
    r")(?![\w@#$])",
    re.I,
)


def changed_tables(statement: str, table: str, *, of_sql_server: bool) -> Iterator[Names]:
    """The tables whose rows a statement changes or takes away, by whatever name it calls `table`."""
    has_several = of_sql_server or _BLOCK.match(statement)
    verbs = _ANYWHERE if has_several else _AFTER_WITH if _WITH.match(statement) else _FIRST
    aliases: set[Names] | None = None
    for verb in verbs.finditer(statement):
        if not verb["verb"]:
            continue
        rest = _MODIFIERS.sub("", statement[verb.end() : verb.end() + _REACH_CHARACTERS], count=1)
        is_joined = not of_sql_server and verb[0].upper().endswith("UPDATE")
        ends = _END_OF_JOINED if is_joined else _END_OF_TARGETS
        end = next(found.start() for found in ends.finditer(rest) if found["end"] is not None)
        for name in re.findall(NAME, _QUERY.sub("", rest[:end])):
            aliases = _aliases(statement, table, of_sql_server=of_sql_server) if aliases is None else aliases
            yield (table,) if unquoted(name) in aliases else unquoted(name)


def _aliases(statement: str, table: str, *, of_sql_server: bool) -> set[Names]:
    """The other names that a statement gives to a table or, in SQL Server, to a query of it."""
    named = rf"(?<![\w$])[\"`\[]?{table}[\"`\]]?\s+(?:AS\s+)?({IDENTIFIER})"
    aliases: list[str] = re.findall(named, statement, re.I)
    if of_sql_server:
        aliases += [
            found["before"] or found["after"]
            for found in _NAMED_QUERY.finditer(statement)
            if re.search(rf"\b{table}\b", found["query"] or found["derived"], re.I)
        ]
    return set(map(unquoted, aliases))


class Transactions:
    """Which rows could still be undone. Rows are counted by the number of the last one."""

    def __init__(self, *, of_sql_server: bool) -> None:
        self._of_sql_server = of_sql_server
        self._depth = 0
        self._kept = 0
        self._savepoints: dict[Names, int] = {}
        self._blocks = 0
        """Of SQL Server, how many it is in: from BEGIN or CASE to END."""
        self._conditional_block = 0
        """The number of the outermost of them that runs only on a condition, 0 if none does."""

    def undo(self, statement: str, rows: int) -> bool:
        """Takes a statement into account. Returns whether it undoes some of the rows."""
        if self._of_sql_server:
            return any(self._undoes(found, rows) for found in self._unconditional(statement))
        found = _STATEMENT.match(statement)
        return found is not None and self._undoes(found, rows)

    def are_open(self, rows: int) -> bool:
        """Whether some of the rows are still to be committed. SQL Server's may be on conditions: they are not asked."""
        return not self._of_sql_server and self._depth > 0 and rows > self._kept

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
        if found["savepoint"]:
            self._savepoints[unquoted(found["savepoint"])] = rows
            return False
        if found["to"]:
            return rows > self._savepoints.get(unquoted(found["to"]), self._kept)
        if found["rollback"] and rows > self._kept:
            return True
        if found["begin"]:
            is_outermost = not self._depth
            # Only SQL Server counts how often a transaction is begun.
            self._depth = self._depth + 1 if self._of_sql_server else 1
        else:
            self._depth = max(0, self._depth - 1) if found["commit"] else 0
            is_outermost = not self._depth
        if is_outermost:
            self._kept = rows
            self._savepoints.clear()
        return False
