"""The people behind the customers of tests: their addresses are canaries, which must turn up nowhere."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from lgs_assets.warehouse.server import program

KEY = "a key that is only for tests, and long enough"
CANARY = "canary"
HEADER = "customer_id,email,lawful_basis,basis_at,source,subscriber_kind,marketing_ok"


def line(
    customer: int | str = 1,
    *,
    email: str | None = None,
    basis: str = "consent",
    basis_at: str = "2011-05-01",
    source: str = "checkout",
    kind: str = "individual",
    ok: str = "yes",
) -> str:
    """A line of a file of contacts; a test names only what it is about."""
    return f"{customer},{address(customer) if email is None else email},{basis},{basis_at},{source},{kind},{ok}"


def address(customer: int | str) -> str:
    """The address of a customer."""
    return f"{CANARY}{customer}@example.test"


def contacts_file(folder: Path, lines: Iterable[str], *, header: str = HEADER) -> Path:
    """A file of contacts with these lines."""
    file = folder / "contacts.csv"
    file.write_text("\n".join([header, *lines]) + "\n")
    return file


def tables_outside(url: str) -> str:
    """All rows of all tables but those of lgs_private, as text."""
    tool = [str(program("pg_dump")), "--dbname", url, "--exclude-schema", "lgs_private", "--data-only", "--inserts"]
    return subprocess.run(tool, check=True, capture_output=True, text=True).stdout
