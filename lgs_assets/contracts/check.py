"""The checks, as their files state them, read without a database.

The folder is the registry: `sql/checks/<table>/<rule>.sql` is the check `<rule>` of `<table>`. The comment at its head
says what must hold, and its last line how severe a failure is: a *blocking* one stops what would be built on the table,
an *error* makes figures untrustworthy, a *warning* counts oddities of the data that somebody should know about.
"""

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from lgs_assets import places
from lgs_assets.errors import LgsError

_DEGREES = ("blocking", "error", "warning")


@dataclass(frozen=True)
class SqlCheck:
    """A check, as its file states it."""

    table: str
    name: str
    query: str
    """The SELECT of the violating rows, with the comment at its head."""
    description: str
    """What must hold."""
    degree: str
    """What a violation means: blocking, error or warning."""

    @classmethod
    def read(cls, file: Path) -> "SqlCheck":
        """The check of a file. Raises LgsError if its head does not end with a degree."""
        query = file.read_text()
        *said, degree = [
            line.removeprefix("--").strip()
            for line in takewhile(lambda line: line.startswith("--"), query.splitlines())
        ] or [""]
        if degree not in _DEGREES or not said:
            raise LgsError(
                f"{file}: expected a comment that says what must hold and ends with a line of its own, "
                f"-- {' or -- '.join(_DEGREES)}; found {degree!r}."
            )
        return cls(file.parent.name, file.stem, query, " ".join(said), degree)

    @property
    def full_name(self) -> str:
        """Its name for people: its table and its rule."""
        return f"{self.table}.{self.name}"

    @property
    def is_blocking(self) -> bool:
        """Whether a violation stops what would be built on the table."""
        return self.degree == "blocking"

    @property
    def is_warning(self) -> bool:
        """Whether a violation leaves the figures trustworthy, so that people may accept it."""
        return self.degree == "warning"


CHECKS = tuple(SqlCheck.read(file) for file in sorted((places.SQL / "checks").glob("*/*.sql")))


def check_named(name: str) -> SqlCheck:
    """The check of a name such as `clean_invoices.prices_are_positive`. Raises LgsError if there is none."""
    for check in CHECKS:
        if check.full_name == name:
            return check
    raise LgsError(f"There is no check {name}. The checks: {', '.join(check.full_name for check in CHECKS)}.")
