"""When a value is missing: one rule for every format, as each spells it in its own way and none consistently."""

from lgs_assets.sources.identity import trimmed

# PostgreSQL and MySQL write \N, SQL Server NULL, SQL Developer (null), pandas nan, None and <NA>, R NA, Excel #N/A.
_WORDS = frozenset({"null", "(null)", "<null>", "nan", "none", "na", "n/a", "#n/a", "<na>", "\\n"})

FIRST_OF_A_VALUE = b"0-9A-MO-Za-mo-z"
"""Characters that begin neither such a word nor a blank text."""


def is_missing(text: str) -> bool:
    """Whether a text stands for a missing value: it is empty or blank, or one of the words for that in any case."""
    return (bare := trimmed(text)) == "" or bare.casefold() in _WORDS
