"""The canonical columns of an invoice line, and the names that dumps give them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from lgs_assets.errors import DumpError

# Each canonical column with its other names, in the spelling of `_letters`.
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
# Names that count only if no column has one of those above: beside an invoice's number, its id is another thing.
_SECOND_NAMES = {
    "invoice_no": ("invoiceid",),
    "quantity": ("qty",),
    "invoice_date": ("invoicedatetime",),
    "customer_id": ("customerno", "customernumber"),
}
# A note in brackets at the end of a name, closed or not, as in `Price (GBP)`. It must not say that the values are
# multiples or fractions: pence would be read as pounds.
_NOTE = re.compile(
    r"[(\[](?![^)\]]*\b(?:p|pence|penny|pennies|cents?|k|000s?|thousands?|dozens?)\b)[^)\]]*[)\]\W_]*$", re.I
)
_CURRENCY = r"(?:gbp|eur|usd|pounds?|sterling|euros?|dollars?|[£€$])+"
# The units of a column beside its name: Unit_Price_GBP, Price in £, GBP Price, Quantity pcs.
_UNITS = {
    "unit_price": re.compile(rf"^{_CURRENCY}|(?:in)?{_CURRENCY}$"),
    "quantity": re.compile(r"(?:in)?(?:pcs|pieces|units|items)$"),
}
LONGEST_NAME = 100  # characters; anything longer is not a name, and would keep the patterns busy for seconds
SHOWN_CHARACTERS = 500
HEADER_WITHIN_LINES = 20
CANONICAL_COLUMNS = tuple(_ALIASES)
_FIRST = {alias: name for name, aliases in _ALIASES.items() for alias in (name.replace("_", ""), *aliases)}
_ANY = _FIRST | {alias: name for name, aliases in _SECOND_NAMES.items() for alias in aliases}


def canonical(header: Sequence[str], *, where: str) -> tuple[str | None, ...]:
    """The canonical column of each field of a dump's lines, None for a field that is none of them.

    A name may have a unit beside it, as in `Price (GBP)`, unless another column has the bare name.
    Raises DumpError, which starts with `where`, if a canonical column is missing or appears twice.
    """
    columns: tuple[str | None, ...] = (None,) * len(header)
    for reading in (
        [_FIRST.get(_letters(name)) for name in header],
        [_with_unit(name, _FIRST) for name in header],
        [_with_unit(name, _ANY) for name in header],
    ):
        known = set(columns)
        columns = tuple(
            column or (other if other not in known else None) for column, other in zip(columns, reading, strict=True)
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
    return len({_with_unit(name, _ANY) for name in row} - {None})


def _with_unit(name: str, names: Mapping[str, str]) -> str | None:
    """The canonical column of a name, which may have a unit beside it; None if it is not one of `names`."""
    if len(name) > LONGEST_NAME:
        return None
    letters = _letters(_NOTE.sub("", unicodedata.normalize("NFKC", name)))
    if column := names.get(letters):
        return column
    return next((column for column, unit in _UNITS.items() if names.get(unit.sub("", letters)) == column), None)


def _letters(name: str) -> str:
    """The letters, digits and currency signs of a name, in lower case: dashes and blanks do not tell names apart."""
    return re.sub(r"[^\w£€$]|_", "", unicodedata.normalize("NFKC", name).lower())
