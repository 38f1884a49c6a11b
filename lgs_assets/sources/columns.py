"""The canonical columns of an invoice line, and the names that dumps give them."""

import re
import unicodedata
from collections.abc import Sequence

from lgs_assets.errors import DumpError

# Each canonical column with its other names, in the spelling of `_folded`.
_ALIASES = {
    "invoice_no": ("invoice", "invoiceno", "invoicenumber"),
    "stock_code": ("stockcode",),
    "description": (),
    "quantity": (),
    "invoice_date": ("invoicedate",),
    "unit_price": ("price", "unitprice"),
    "customer_id": ("customerid",),
    "country": (),
}
# What may follow a name, in brackets or as a currency: Price (GBP), Price £, Unit_Price_GBP.
_UNIT = re.compile(r"[\W_]*(?:\(.*\)|\[.*\]|(?<![^\W_])(?:in[\W_]+)?(?:GBP|EUR|USD)|[£€$])[\W_]*$", re.I)
LONGEST_NAME = 100  # characters; anything longer is not a name, and would keep _UNIT busy for seconds
SHOWN_CHARACTERS = 500
HEADER_WITHIN_LINES = 20
CANONICAL_COLUMNS = tuple(_ALIASES)
_CANONICAL_BY_ALIAS = {alias: name for name, aliases in _ALIASES.items() for alias in (name.replace("_", ""), *aliases)}


def canonical(header: Sequence[str], *, where: str) -> tuple[str | None, ...]:
    """The canonical column of each field of a dump's lines, None for a field that is none of them.

    A name may have a unit after it, as in `Price (GBP)`, unless another column has the bare name.
    Raises DumpError, which starts with `where`, if a canonical column is missing or appears twice.
    """
    bare = [_CANONICAL_BY_ALIAS.get(_folded(name)) for name in header]
    with_unit = [_CANONICAL_BY_ALIAS.get(_folded(_without_unit(name))) for name in header]
    columns = tuple(
        column or (other if other not in bare else None) for column, other in zip(bare, with_unit, strict=True)
    )
    found = shown(", ".join(header))[:SHOWN_CHARACTERS] or "none"
    if missing := [name for name in CANONICAL_COLUMNS if name not in columns]:
        raise DumpError(f"{where}: no column {', '.join(missing)}. Found: {found}.")
    if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise DumpError(f"{where}: more than one column for {', '.join(twice)}. Found: {found}.")
    return columns


def header_among(rows: Sequence[Sequence[str]]) -> int:
    """Which of the first rows of a table is its header: the index of the first that names the most columns.

    There may be a title, notes and blank rows above a header. Pass no more than HEADER_WITHIN_LINES rows.
    """
    return max(range(len(rows)), key=lambda index: _named(rows[index]), default=0)


def names_few(row: Sequence[str]) -> bool:
    """Whether a row names fewer than half of the columns: then it is not a header, not even one that lacks a column."""
    return 2 * _named(row) < len(CANONICAL_COLUMNS)


def described(header: Sequence[str], columns: Sequence[str | None]) -> dict[str, str]:
    """The facts of a header: which of its names became which column, and which fields are left out."""
    pairs = list(zip(map(shown, header), columns, strict=True))
    facts = {
        "columns": ", ".join(f"{name} as {column}" if name != column else name for name, column in pairs if column)
    }
    if left_out := [name for name, column in pairs if not column]:
        facts["columns left out"] = ", ".join(left_out)
    return facts


def shown(text: str) -> str:
    """A text on one line, with terminal control characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _named(row: Sequence[str]) -> int:
    """How many columns a row names."""
    return len({_CANONICAL_BY_ALIAS.get(_folded(_without_unit(name))) for name in row} - {None})


def _without_unit(name: str) -> str:
    return _UNIT.sub("", name) if len(name) <= LONGEST_NAME else name


def _folded(name: str) -> str:
    """The letters and digits of a name, in lower case: dashes and blanks of any kind do not tell names apart."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name).lower())
