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
# A note in brackets at the end of a name, closed or not, as in `Price (GBP)`.
_NOTE = re.compile(r"[(\[][^)\]]*[)\]\s.,:;*_£€$-]*$")
# The currencies that a name may state, by their signs.
_CURRENCIES = {"£": r"£|gbp|pounds?|sterling", "€": r"€|eur(?:os?)?", "$": r"(?:us)?\$|usd|(?:us[ -]?)?dollars?"}
_CURRENCY = "|".join(_CURRENCIES.values())
# The units of a column beside its name: Unit_Price_GBP, Price in £, GBP Price, Quantity pcs.
_UNITS = {
    "unit_price": re.compile(rf"^(?:{_CURRENCY})+|(?:in)?(?:{_CURRENCY})+$"),
    "quantity": re.compile(r"(?:in)?(?:pcs|pieces|units|items)$"),
}
# All that a note may say of a price or a quantity: anything else might mean that the values are multiples or fractions,
# and pence would be read as pounds.
_BLANKS = r"[()\[\]\s.,:;/&+*='\"_–—-]"
_ONE = r"units?|items?|pieces?|pcs?|each|ea"
_RATE = r"\d{1,2}(?:\.\d)? ?%"
_CHARGE = rf"(?:{_RATE} ?)?(?:vat|tax(?:es)?|duty|duties|discounts?|delivery|shipping|postage)(?:{_BLANKS}*{_RATE})?"
_BASIS = (
    r"inc(?:l(?:uding|usive|uded)?)?|exc?(?:l(?:uding|usive|uded)?)?|with(?:out)?|before|after|pre|post|plus|no"
    r"|net|gross"
)
_NOTES = {
    "unit_price": re.compile(
        rf"(?:{_BLANKS}|(?:£|pounds?){_BLANKS}*(?:and)?{_BLANKS}*(?:pence|pp?)(?![^\W_])|{_CURRENCY}"
        rf"|(?:per{_BLANKS}+)?(?:{_ONE})|in|net|gross|p\.a\b|per annum|uk|british|list|retail|selling|rrp"
        rf"|(?:{_BASIS}){_BLANKS}*(?:of )?{_CHARGE}|{_CHARGE}{_BLANKS}*(?:{_BASIS}|free))*"
    ),
    "quantity": re.compile(
        rf"(?:{_BLANKS}|{_ONE}|singles?|in|of|nos?|number|count|sold|ordered|invoiced|shipped|net)*"
    ),
    # Anything but another time zone.
    "invoice_date": re.compile(r"(?!.*(?:utc|gmt|zulu|\b(?:c|e|m|p)[sed]?t\b|\bz\b|[-+]\d\d?(?:\D|$))).*", re.S),
}
_EXPECTED = {
    "unit_price": "pounds",
    "quantity": "single items",
    "invoice_date": "London time, or dates with their zone",
}
HEADER_CURRENCY = "currency in the header"
LONGEST_NAME = 100  # characters; anything longer is not a name, and would keep the patterns busy for seconds
SHOWN_CHARACTERS = 500
HEADER_WITHIN_LINES = 20
CANONICAL_COLUMNS = tuple(_ALIASES)
_FIRST = {alias: name for name, aliases in _ALIASES.items() for alias in (name.replace("_", ""), *aliases)}
_ANY = _FIRST | {alias: name for name, aliases in _SECOND_NAMES.items() for alias in aliases}


def canonical(header: Sequence[str], *, where: str) -> tuple[str | None, ...]:
    """The canonical column of each field of a dump's lines, None for a field that is none of them.

    A name may have a unit beside it, as in `Price (GBP)`, unless another column has the bare name. It must not say that
    prices or quantities are multiples or fractions.
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
        refused = "".join(_refused(header, columns, column) for column in missing)
        raise DumpError(f"{where}: no column {', '.join(missing)}. {refused}Found: {found}.")
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
    if currency := stated_currency(header[columns.index("unit_price")]):
        facts[HEADER_CURRENCY] = currency
    return facts


def stated_currency(name: str) -> str | None:
    """The sign of the currency that the name of a price states, as in `Price (EUR)`; None if it states none."""
    return next(iter(_currencies(*_parts(name[:LONGEST_NAME]))), None)


def currency_noted(note: str) -> str | None:
    """The sign of the currency that a note beside a price states, empty if it states none.

    None for any other note: the price may be in another currency, a multiple or a fraction.
    """
    words = _normal(note).lower()
    if len(words) > LONGEST_NAME or not _NOTES["unit_price"].fullmatch(words):
        return None
    stated = _currencies("", words)
    return "".join(stated) if len(stated) < 2 else None


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
    letters, note = _parts(name)
    column = names.get(letters) or next(
        (column for column, unit in _UNITS.items() if names.get(unit.sub("", letters)) == column), None
    )
    if column in _NOTES and (not _NOTES[column].fullmatch(note) or len(_currencies(letters, note)) > 1):
        return None
    return column


def _parts(name: str) -> tuple[str, str]:
    """The letters of a name, and the note at its end in lower case."""
    note = _NOTE.search(name := _normal(name))
    return (_letters(name[: note.start()]), note[0].lower()) if note else (_letters(name), "")


def _currencies(letters: str, note: str) -> list[str]:
    """The signs of the currencies that the parts of a name state."""
    return [sign for sign, words in _CURRENCIES.items() if re.search(words, letters) or re.search(words, note)]


def _refused(header: Sequence[str], columns: Sequence[str | None], column: str) -> str:
    """What is wrong with the only name that might mean a column, but is not taken for it; nothing if there is none."""
    aliases = [alias for alias, name in _ANY.items() if name == column]
    near = [
        name
        for name, known in zip(header, columns, strict=True)
        if not known and len(name) <= LONGEST_NAME and any(alias in _letters(name) for alias in aliases)
    ]
    if column not in _EXPECTED or len(near) != 1:
        return ""
    return f"{shown(near[0])}: expected {_EXPECTED[column]}; convert the values or rename the column. "


def _letters(name: str) -> str:
    """The letters, digits, currency and percent signs of a name, in lower case: dashes and blanks do not tell names
    apart."""
    kept = (c for c in _normal(name) if c.isalnum() or c in "%‰" or unicodedata.category(c) == "Sc")
    return "".join(kept).lower()


def _normal(name: str) -> str:
    """A name in ordinary characters, and with pence, which differ from pounds only by their last letter, as GBX."""
    return unicodedata.normalize("NFKC", name).replace("GBp", "GBX")
