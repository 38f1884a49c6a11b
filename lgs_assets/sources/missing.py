"""When a value is missing, or an error: one rule for every format, as each has its own words and none is consistent."""

import re

from lgs_assets.sources.identity import trimmed

# PostgreSQL and MySQL write \N, SQL Server NULL, SQL Developer (null), DBeaver [NULL], pandas nan, NaT, None and <NA>,
# R NA, Excel #N/A.
_WORDS = frozenset({"null", "(null)", "<null>", "[null]", "nan", "nat", "none", "na", "n/a", "#n/a", "<na>", "\\n"})
# What Excel saves as CSV for a formula that fails.
_ERROR = re.compile(r"#(?:NAME\?|(?:VALUE|REF|DIV/0|NUM|NULL|SPILL|CALC|FIELD|BLOCKED|CONNECT|UNKNOWN|BUSY)!)", re.I)

ANY_ERROR = "#VALUE!"
"""What stands for an error that has another name, as LibreOffice's Err:508 has."""

FIRST_OF_A_VALUE = b"0-9A-MO-Za-mo-z"
"""Characters that begin neither such a word, nor an error, nor a blank text."""


def is_missing(text: str) -> bool:
    """Whether a text stands for a missing value: it is empty or blank, or one of the words for that in any case."""
    return (bare := trimmed(text)) == "" or bare.casefold() in _WORDS


def shows_error(text: str) -> bool:
    """Whether a text is the error of a spreadsheet's formula. `#N/A` is not: it stands for a missing value."""
    return "#" in text and _ERROR.fullmatch(trimmed(text)) is not None
