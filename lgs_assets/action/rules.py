"""The language of rules: one boolean expression over the columns of `audience_facts`, judged node by node.

sqlglot parses a rule; what is not listed here is refused. The SQL that runs is written from what was judged, never
taken from the text, so a rule that is accepted can read nothing but its own row, call nothing, and cannot fail.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from hashlib import sha256
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from lgs_assets.errors import RuleError

FACTS = "audience_facts"
PREDICTED = frozenset({"value", "risk_band", "expected_next_day"})
"""The columns that say what is expected, and are not known of earlier days."""
MAX_CHARACTERS = 4_000

_KINDS = {
    "boolean": "boolean",
    "date": "moment",
    "timestamp without time zone": "moment",
    "text": "text",
    "smallint": "number",
    "integer": "number",
    "bigint": "number",
    "numeric": "number",
}
_A = {"boolean": "true or false", "moment": "a date", "text": "a text", "number": "a number"}
_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}
_CASTS = {
    exp.DType.DATE: "date", exp.DType.DECIMAL: "numeric", exp.DType.INT: "integer", exp.DType.TEXT: "text"
}  # fmt: skip
_CAST_KINDS = {"date": "moment", "numeric": "number", "integer": "number", "text": "text"}
# What each node may consist of; anything else in it would be lost in silence.
_PARTS: dict[type[exp.Expr], set[str]] = {
    exp.And: {"this", "expression"},
    exp.Or: {"this", "expression"},
    exp.Not: {"this"},
    exp.Paren: {"this"},
    exp.Is: {"this", "expression", "negate"},
    exp.In: {"this", "expressions"},
    exp.Between: {"this", "low", "high"},
    exp.Column: {"this"},
    exp.Literal: {"this", "is_string"},
    exp.Boolean: {"this"},
    exp.Neg: {"this"},
    exp.Cast: {"this", "to"},
} | {comparison: {"this", "expression"} for comparison in _COMPARISONS}
_NUMBER = re.compile(r"\d{1,20}(\.\d{1,10})?|\.\d{1,10}")
_CALLED = {"query": "a subquery"}
"""Parts of nodes by plainer names than those of the parser."""
_ONLY = (
    "Only columns, literals, and, or, not, =, <>, <, <=, >, >=, in, between, is null and casts to date, numeric, "
    "integer or text may be used."
)


class Comparison(NamedTuple):
    """A column that a rule compares with a text."""

    column: str
    text: str


@dataclass(frozen=True)
class Rule:
    """A rule that was judged."""

    sql: str
    """The condition in its one spelling: comments, case of keywords and needless parentheses make no difference."""
    comparisons: tuple[Comparison, ...]
    """The texts that columns are to be equal to."""
    columns: frozenset[str]
    """The columns that it asks for."""

    def version(self, fields: Mapping[str, str]) -> str:
        """What tells the rule, with the fields that it lets out, from any other."""
        return sha256(
            "\0".join([self.sql, *(f"{name}={fields[name]}" for name in sorted(fields))]).encode()
        ).hexdigest()


def fact_kinds() -> dict[str, str]:
    """The columns that a rule may name, and of what kind each is: boolean, moment, number or text."""
    from lgs_assets.contracts.declaration import columns  # here: pages judge rules, and need no pandas beside it

    return {column.name: _KINDS[column.type] for column in columns(FACTS)}


def day_columns() -> set[str]:
    """The columns that are days, without a time."""
    from lgs_assets.contracts.declaration import columns  # here: see `fact_kinds`

    return {column.name for column in columns(FACTS) if column.type == "date"}


def judge(text: str) -> Rule:
    """The rule that a text states. Raises RuleError, which names the line and the column where they are known."""
    if len(text) > MAX_CHARACTERS:
        raise RuleError(f"expected a rule of at most {MAX_CHARACTERS:,} characters; found {len(text):,}.")
    try:
        statements = sqlglot.parse(text, read="postgres")
        if len(statements) != 1:
            raise RuleError(f"expected one condition; found {len(statements)} statements.")
        if (tree := statements[0]) is None:
            raise RuleError("expected a condition; found nothing.")
        judge_of_nodes = _Judge(text)
        judged = judge_of_nodes.condition(tree)
    except ParseError as error:
        first = error.errors[0]
        raise RuleError(f"line {first['line']}, column {first['col']}: {first['description']}.") from None
    except (SqlglotError, RecursionError, ValueError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else "it is not SQL"
        raise RuleError(f"the rule cannot be read: {reason}.") from None
    return Rule(judged, tuple(dict.fromkeys(judge_of_nodes.comparisons)), frozenset(judge_of_nodes.columns))


class _Operand(NamedTuple):
    kind: str
    sql: str
    literal: str | None = None
    """The text of a literal in quotes, which may yet become a date."""
    column: str | None = None


class _Judge:
    """Judges the nodes of one rule, and collects the texts that it compares with."""

    def __init__(self, text: str) -> None:
        self.comparisons: list[Comparison] = []
        self.columns: set[str] = set()
        self._text = text
        self._kinds = fact_kinds()
        conditions: dict[type[exp.Expr], Callable[..., str]] = {
            exp.And: lambda node: f"({self.condition(node.this)} and {self.condition(node.expression)})",
            exp.Or: lambda node: f"({self.condition(node.this)} or {self.condition(node.expression)})",
            exp.Not: lambda node: f"(not {self.condition(node.this)})",
            exp.Paren: lambda node: self.condition(node.this),
            exp.Is: self._is,
            exp.In: self._in,
            exp.Between: self._between,
        }
        self._conditions = conditions | dict.fromkeys(_COMPARISONS, self._comparison)

    def condition(self, node: exp.Expr) -> str:
        """A node that must be true or false, in SQL."""
        if judge_condition := self._conditions.get(type(node)):
            self._expect_known(node)
            return judge_condition(node)
        operand = self._operand(node)
        if operand.kind != "boolean":
            raise self._error(node, f"expected a condition; found {_A[operand.kind]}")
        return operand.sql

    def _operand(self, node: exp.Expr) -> _Operand:
        self._expect_known(node)
        match node:
            case exp.Paren():
                return self._operand(node.this)
            case exp.Column():
                return self._column(node)
            case exp.Boolean():
                return _Operand("boolean", str(node.this).lower())
            case exp.Neg():
                operand = self._operand(node.this)
                if operand.kind != "number" or operand.column:
                    raise self._error(node, "expected a number after the minus sign")
                return _Operand("number", f"(-{operand.sql})")
            case exp.Cast():
                return self._cast(node)
            case exp.Literal() if node.is_string:
                if not node.name.isprintable():
                    raise self._error(node, "expected a text of printable characters")
                quoted = node.name.replace("'", "''")
                return _Operand("text", f"'{quoted}'", literal=node.name)
            case exp.Literal():
                if not _NUMBER.fullmatch(node.name):
                    raise self._error(node, f"expected a number such as 500 or 12.50; found {node.name[:40]!r}")
                return _Operand("number", node.name)
        return _Operand("boolean", self.condition(node))

    def _column(self, node: exp.Column) -> _Operand:
        name = node.name if node.this.quoted else node.name.lower()
        if name not in self._kinds:
            raise self._error(node, f"there is no column {name!r}. The columns: {', '.join(self._kinds)}")
        self.columns.add(name)
        return _Operand(self._kinds[name], f"{FACTS}.{name}", column=name)

    def _cast(self, node: exp.Cast) -> _Operand:
        to = _CASTS.get(node.to.this) if type(node.to) is exp.DataType and not node.to.expressions else None
        if not to:
            raise self._error(node, f"cannot cast to {node.to.sql('postgres')[:40]}. {_ONLY}")
        operand = self._operand(node.this)
        if operand.literal is not None and to != "text":
            return self._literal_as(node, operand.literal, to)
        may = {"text": {"number", "moment", "text"}, "date": {"moment"}, "numeric": {"number"}, "integer": set()}[to]
        if operand.kind not in may:
            raise self._error(node, f"expected a literal to cast to {to}; found {_A[operand.kind]}")
        same = operand if to == operand.kind == "text" else None  # the values there are still what it is compared with
        return _Operand(_CAST_KINDS[to], f"cast({operand.sql} as {to})", same and same.literal, same and same.column)

    def _literal_as(self, node: exp.Expr, literal: str, to: str) -> _Operand:
        if to == "date":
            return self._moment(node, literal, is_day=True)
        if not _NUMBER.fullmatch(literal.removeprefix("-")) or (to == "integer" and "." in literal):
            raise self._error(node, f"expected a number to cast to {to}; found {literal[:40]!r}")
        return _Operand("number", f"({literal})")

    def _moment(self, node: exp.Expr, literal: str, *, is_day: bool = False) -> _Operand:
        try:
            moment = datetime.fromisoformat(literal)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo:
            raise self._error(node, f"expected a date such as 2011-12-01; found {literal[:40]!r}")
        if is_day:
            moment = datetime.combine(moment, time.min)
        return _Operand("moment", f"cast('{moment.isoformat(sep=' ')}' as timestamp)")

    def _pair(self, node: exp.Expr, left: _Operand, right: _Operand) -> tuple[_Operand, _Operand]:
        """Two operands of one kind; a literal beside a date is one."""
        if left.kind == "moment" and right.literal is not None:
            right = self._moment(node, right.literal)
        if right.kind == "moment" and left.literal is not None:
            left = self._moment(node, left.literal)
        if left.kind != right.kind:
            raise self._error(node, f"cannot compare {_A[left.kind]} with {_A[right.kind]}")
        return left, right

    def _note(self, left: _Operand, right: _Operand) -> None:
        for one, other in ((left, right), (right, left)):
            if one.column and one.kind == "text" and other.literal is not None:
                self.comparisons.append(Comparison(one.column, other.literal))

    def _comparison(self, node: exp.Binary) -> str:
        left, right = self._pair(node, self._operand(node.this), self._operand(node.expression))
        if isinstance(node, (exp.EQ, exp.NEQ)):
            self._note(left, right)
        return f"({left.sql} {_COMPARISONS[type(node)]} {right.sql})"

    def _between(self, node: exp.Between) -> str:
        value, (low, high) = self._beside(node, [node.args["low"], node.args["high"]])
        return f"({value.sql} between {low.sql} and {high.sql})"

    def _in(self, node: exp.In) -> str:
        if not node.expressions:
            raise self._error(node, f"expected a list of literals after in. {_ONLY}")
        value, choices = self._beside(node, node.expressions)
        for choice in choices:
            self._note(value, choice)
        return f"({value.sql} in ({', '.join(sorted({choice.sql for choice in choices}))}))"

    def _beside(self, node: exp.Expr, others: Sequence[exp.Expr]) -> tuple[_Operand, list[_Operand]]:
        """An operand and those that it is compared with, all of one kind."""
        value, operands = self._operand(node.this), [self._operand(other) for other in others]
        for operand in operands:  # first: beside one date it is a date beside each
            value, _ = self._pair(node, value, operand)
        return value, [self._pair(node, value, operand)[1] for operand in operands]

    def _is(self, node: exp.Is) -> str:
        word = "is not" if node.args.get("negate") else "is"
        if isinstance(node.expression, exp.Null):
            return f"({self._operand(node.this).sql} {word} null)"
        if isinstance(node.expression, exp.Boolean):
            return f"({self.condition(node.this)} {word} {str(node.expression.this).lower()})"
        raise self._error(node, "expected null, true or false after is")

    def _expect_known(self, node: exp.Expr) -> None:
        parts = _PARTS.get(type(node))
        if parts is None:
            raise self._error(node, f"{_named(node)} is not allowed in a rule. {_ONLY}")
        if others := sorted(part for part, value in node.args.items() if value and part not in parts):
            is_table = isinstance(node, exp.Column)
            what = _CALLED.get(others[0], others[0])
            raise self._error(node, "expected a column without a table" if is_table else f"{what} is not allowed")

    def _error(self, node: exp.Expr, reason: str) -> RuleError:
        """An error at the first place of a node that the parser knows."""
        starts = [found.meta["start"] for found in node.walk() if "start" in found.meta]
        if not starts:
            return RuleError(f"{reason.rstrip('.')}.")
        before = self._text[: min(starts)]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return RuleError(f"line {line}, column {column}: {reason.rstrip('.')}.")


def _named(node: exp.Expr) -> str:
    """A node as a person calls it."""
    if isinstance(node, exp.Anonymous):
        return f"the function {node.name[:40]}"
    if isinstance(node, exp.Func):
        return f"the function {node.sql_name().lower()}"
    if isinstance(node, (exp.Query, exp.Subquery)):
        return "a query"
    return f"{type(node).__name__.lower()}"
