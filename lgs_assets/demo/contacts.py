"""Contacts for the demo shop: of example.test, the same each time."""

from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256

from lgs_assets.action.contact_file import BASES, COLUMNS, KINDS


def demo_contacts(customers: Iterable[int]) -> Iterator[tuple[str | int, ...]]:
    """The rows of a file of contacts for invented customers, header first.

    About one in ten has no contact, one in thirteen does not want to be written to, and one in seven is a firm.
    """
    yield COLUMNS
    for customer in customers:
        digest = sha256(f"demo contact {customer}".encode()).digest()
        if digest[0] < 26:
            continue
        is_firm = digest[1] < 36
        basis = BASES[2] if is_firm else BASES[digest[2] % 2]
        day = date(2010, 1 + digest[3] % 12, 1 + digest[4] % 28)
        ok = "no" if digest[5] < 20 else "yes"
        email = f"customer{customer}@example.test"
        yield customer, email, basis, day.isoformat(), "demo shop", KINDS[is_firm], ok
