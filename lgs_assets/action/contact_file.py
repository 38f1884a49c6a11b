"""A file of contacts: which lines are contacts by themselves, and why the others are not. Knows no database.

What is wrong is described, not quoted: a rejected line may hold an address.
"""

import csv
import io
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

from lgs_assets.errors import UsageError
from lgs_assets.wording import counted

COLUMNS = ("customer_id", "email", "lawful_basis", "basis_at", "source", "subscriber_kind", "marketing_ok")
BASES = ("consent", "soft_opt_in", "corporate_legitimate_interest")
KINDS = ("individual", "corporate")
_MAX_BYTES = 200_000_000
_EMAIL = re.compile(
    r"[a-z0-9][a-z0-9.!#$%&'+*/=?^_`{|}~-]{0,63}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])"
)
_CUSTOMER = re.compile(r"(\d{1,10})(\.0)?")
# A value that can be shown: no address and no name fits.
_SHOWN = re.compile(r"\d{1,30}|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Contact(NamedTuple):
    """One line of a file of contacts."""

    customer_id: int
    email: str
    lawful_basis: str
    basis_at: date
    source: str
    subscriber_kind: str
    marketing_ok: bool

    def __repr__(self) -> str:
        """Without the address: errors and logs show their values."""
        return f"Contact({self.customer_id})"


class ContactReject(NamedTuple):
    """A line that is no contact, and why. What was found is described, not quoted, unless no address fits into it."""

    line: int
    column: str | None
    found: str
    expected: str

    def __str__(self) -> str:
        """In a line of text."""
        column = f", {self.column}" if self.column else ""
        return f"line {self.line}{column}: expected {self.expected}; found {self.found}"


class _WrongValueError(Exception):
    def __init__(self, column: str | None, found: str, expected: str) -> None:
        super().__init__(column)
        self.column, self.found, self.expected = column, found, expected


def content_of(file: Path) -> bytes:
    """What a file holds. Raises UsageError for one that is too large, or cannot be read."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{file.name}: expected a file of at most {_MAX_BYTES:,} bytes.")
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}.") from None


def read_contacts(name: str, content: bytes, *, today: date) -> tuple[list[tuple[int, Contact]], list[ContactReject]]:
    """The lines that are contacts by themselves, and those that are none. A line is a line: no value has a break.

    Raises UsageError for what is no text in UTF-8, or lacks a column.
    """
    try:
        lines = re.split("\r\n|\n|\r", content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        place = content[: error.start].count(b"\n") + 1
        raise UsageError(
            f"{name}: line {place}: expected text in UTF-8; found the byte 0x{content[error.start]:02X}."
        ) from None
    delimiter = max(",;\t", key=lines[0].count)
    names = [value.strip().lower() for value in _cells(lines[0], delimiter) or []]
    if missing := [column for column in COLUMNS if column not in names]:
        raise UsageError(
            f"{name}: line 1: expected a header with the columns {', '.join(COLUMNS)}; {missing[0]} is missing."
        )
    if repeated := [column for column in COLUMNS if names.count(column) > 1]:
        raise UsageError(
            f"{name}: line 1: expected each column once; {repeated[0]} is there {names.count(repeated[0])} times."
        )
    read, rejects = [], []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        try:
            cells = _cells(line, delimiter)
            if cells is None or len(cells) != len(names):
                found = "quotes that do not match" if cells is None else counted(len(cells), "value")
                raise _WrongValueError(None, found, counted(len(names), "value"))
            read.append((number, _contact(dict(zip(names, cells, strict=True)), today=today)))
        except _WrongValueError as wrong:
            rejects.append(ContactReject(number, wrong.column, wrong.found, wrong.expected))
    return read, rejects


def _contact(values: Mapping[str, str], *, today: date) -> Contact:
    customer = _CUSTOMER.fullmatch(values["customer_id"])
    if not customer or not 0 < int(customer[1]) < 2**31:
        raise _wrong(values, "customer_id", "the number of a customer")
    email = values["email"].lower()
    if not _EMAIL.fullmatch(email) or len(email) > 254 or ".." in email or ".@" in email:
        raise _WrongValueError("email", _shape(values["email"]), "an address such as name@example.test")
    basis, kind = values["lawful_basis"].lower(), values["subscriber_kind"].lower() or KINDS[0]
    if basis not in BASES:
        raise _wrong(values, "lawful_basis", f"{', '.join(BASES[:-1])} or {BASES[-1]}")
    if kind not in KINDS:
        raise _wrong(values, "subscriber_kind", " or ".join(KINDS))
    if basis == BASES[2] and kind != KINDS[1]:
        raise _WrongValueError("lawful_basis", f"{basis} of an individual", "consent or soft_opt_in")
    try:
        basis_at = date.fromisoformat(values["basis_at"])
    except ValueError:
        basis_at = date.max
    if not date(1990, 1, 1) <= basis_at <= today:
        raise _wrong(values, "basis_at", f"a date such as 2011-12-01, from 1990-01-01 to {today}")
    source = values["source"]
    if not source or len(source) > 200 or "@" in source or not source.isprintable():
        raise _WrongValueError(
            "source", _shape(source), "where the contact comes from, in up to 200 characters, without an address"
        )
    if (marketing_ok := _YES_NO.get(values["marketing_ok"].lower())) is None:
        raise _wrong(values, "marketing_ok", "yes or no")
    return Contact(int(customer[1]), email, basis, basis_at, source, kind, marketing_ok)


def _cells(line: str, delimiter: str) -> list[str] | None:
    """The values of a line; None if it is not CSV."""
    try:
        (cells,) = csv.reader(io.StringIO(line), delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):
        return None
    return [cell.strip() for cell in cells]


def _wrong(values: Mapping[str, str], column: str, expected: str) -> _WrongValueError:
    value = values[column]
    return _WrongValueError(column, value if _SHOWN.fullmatch(value) else _shape(value), expected)


def _shape(value: str) -> str:
    """What a value looks like, without a word of it."""
    if not value:
        return "nothing"
    return f"{counted(len(value), 'character')} with {value.count('@') or 'no'} @"
