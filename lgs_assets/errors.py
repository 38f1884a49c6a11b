"""The errors that a person can act on. Their text says what is wrong, where, and what to do."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lgs_assets.escaping import printable

if TYPE_CHECKING:
    from lgs_assets.sources import Reject


class LgsError(Exception):
    """The base of every error that the platform raises on purpose; the CLI prints its text without a traceback."""

    exit_code = 1
    """With what the command ends."""

    def __init__(self, reason: str) -> None:
        """`reason` may quote names and values from outside: what commands a terminal in them is escaped."""
        super().__init__(printable(reason, keep="\t\n"))


class DumpError(LgsError):
    """A dump cannot be read: its text names the file, the line and the column as far as they are known."""

    def __init__(self, reason: str, *, rejects: "Sequence[Reject]" = ()) -> None:
        """`rejects` are the first of the lines that are at fault."""
        super().__init__(reason)
        self.rejects = rejects


class DumpsError(DumpError):
    """Of many dumps, some cannot be read: its text is the reasons."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """`reasons` are those of each dump, by its name."""
        super().__init__("\n".join(reasons.values()))
        self.dumps = list(reasons)


class ContractError(LgsError):
    """Rows break the contract of their table: its text names the table, the column, the rule and offending rows."""


class ServerError(LgsError):
    """The database server cannot be started, reached or used. It may be in a moment, but for those below."""


class PermanentError(ServerError):
    """The database server refuses, and will until somebody has seen to what its text names: it is not asked again."""


class DiskFullError(PermanentError):
    """The disk of the database server is full: its text says which, and how much room is needed."""

    def __init__(self, where: str, reason: str, *, remedy: str = "") -> None:
        """`where` is the server or its folder; `remedy` a sentence, beside making room."""
        super().__init__(
            f"The disk of {where} is full: {reason}. Nothing is left half done. Make room, and run the same command "
            "again: a million lines take about 1.3 GB with all tables, and as much again while tables are replaced."
            f" {remedy}".rstrip()
        )


class UnavailableError(LgsError):
    """A file or a database elsewhere cannot be reached, or was lost on the way: it may be there again in a moment."""


class ConfigurationError(LgsError):
    """A value of the environment, of the file `.env` or of an option cannot be used: its text names it."""


class UsageError(LgsError):
    """What somebody wrote or left out cannot be used, such as a rule, a file of contacts or a missing key."""

    exit_code = 2


class RuleError(UsageError):
    """A rule is not one that an audience may have: its text names the place, what was found and what is expected."""


class GuardError(LgsError):
    """A change is refused because it is larger, older or other than it should be: its text has the figures."""

    exit_code = 4
