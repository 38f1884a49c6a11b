"""Names in SQL: how tables and columns are written, and what they are called."""

import functools
import re

Names = tuple[str, ...]

# As in scripts, no pattern matches a text in two ways: see sql_script.
IDENTIFIER = (
    r'(?:"[^"]*(?:""[^"]*)*"(?!")|`[^`]*(?:``[^`]*)*`(?!`)|\[[^\]]*(?:\]\][^\]]*)*\](?!\])'
    r"|[^\W\d][\w$]*(?![\w$]))"
)
NAME = rf"{IDENTIFIER}(?:\s*\.\s*{IDENTIFIER})*"
QUOTED = re.compile(r'"[^"]*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[^\]]*(?:\]|\Z)')
"""A name in quotation marks; one that holds a mark, twice, is taken for two."""


@functools.lru_cache(maxsize=8)  # a run of INSERTs names one table
def unquoted(identifiers: str) -> Names:
    """The names that identifiers stand for: as written in quotes or backticks, otherwise in lower case."""
    return tuple(_name(identifier) for identifier in re.findall(IDENTIFIER, identifiers))


def _name(identifier: str) -> str:
    if identifier.startswith('"'):
        return identifier[1:-1].replace('""', '"')
    if identifier.startswith("`"):
        return identifier[1:-1].replace("``", "`")
    return identifier.strip("[]").lower()
