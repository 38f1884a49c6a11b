"""Names in SQL: how tables and columns are written, and what they are called."""

import functools
import re

Names = tuple[str, ...]

# As in scripts, no pattern matches a text in two ways: see sql_script. A name in quotation marks is looked for at every
# mark that may open one: its length is limited, so that this takes no longer the more marks never close. SQL Server
# allows the longest, 128 characters.
_QUOTED = "|".join(
    rf"{opening}[^{closing}]{{0,512}}{closing}(?:{closing}[^{closing}]{{0,512}}{closing}){{0,16}}(?!{closing})"
    for opening, closing in (('"', '"'), ("`", "`"), (r"\[", r"\]"))
)
IDENTIFIER = rf"(?:{_QUOTED}|[^\W\d][\w$]*(?![\w$]))"
IDENTIFIER_IN_BYTES = rb"(?:%b|[A-Za-z_\x80-\xff][\w$\x80-\xff]*(?![\w$\x80-\xff]))" % _QUOTED.encode()
NAME = rf"{IDENTIFIER}(?:\s*\.\s*{IDENTIFIER})*"
QUOTED = re.compile(r'"[^"]*(?:"|\Z)|`[^`]*(?:`|\Z)')
"""A name in quotation marks; one that holds a mark, twice, is taken for two."""
QUOTED_OR_IN_BRACKETS = re.compile(rf"{QUOTED.pattern}|\[[^\]]*(?:\]|\Z)")
"""The same in SQL Server. Brackets are something else in PostgreSQL: an array, or its element."""


@functools.lru_cache(maxsize=8)  # a run of INSERTs names one table
def unquoted(identifiers: str, *, keeps_case: bool = False) -> Names:
    """The names that identifiers stand for: as written in quotes or backticks, otherwise in lower case.

    MySQL keeps the case of all: where it tells names apart by it, it does so with or without backticks.
    """
    return tuple(_name(identifier, keeps_case=keeps_case) for identifier in re.findall(IDENTIFIER, identifiers))


def _name(identifier: str, *, keeps_case: bool) -> str:
    if identifier.startswith(('"', "`")):
        mark = identifier[0]
        return identifier[1:-1].replace(mark * 2, mark)
    return identifier if keeps_case else identifier.strip("[]").lower()
