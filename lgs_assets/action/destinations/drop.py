"""A folder, here or of an SFTP server, or a part of a bucket: for each plan two CSV files.

One has what changes, the other the whole list after it, where that is known. Beside each file, an empty one says that
it is complete.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from upath import UPath

from lgs_assets.action.destinations.protocol import Answer, Batch, Destination
from lgs_assets.action.destinations.sftp import SCHEME, put_files
from lgs_assets.escaping import csv_cell
from lgs_assets.places import open_place, reaching


@dataclass(frozen=True)
class Drop(Destination):
    """The destination `drop`."""

    name = "drop"

    location: str
    hashes_emails: bool = False

    @property
    def place(self) -> str:
        """See `Destination.place`: a list of hashes and one of addresses are not the same."""
        return f"{'hashed' if self.hashes_emails else 'in clear'} {self.location}"

    def send(self, batch: Batch) -> Answer:
        """See `Destination.send`. Done again it writes the same bytes."""
        name = f"{batch.audience}-plan-{batch.plan}"
        changes = [
            (change.operation, change.customer_id, "" if change.operation == "remove" else self._shown(change.email))
            for change in batch.changes
        ]
        email = "email_sha256" if self.hashes_emails else "email"
        files = {}
        if (members := batch.whole_list()) is not None:
            listed = [(member.customer_id, self._shown(member.email)) for member in members]
            files[f"{name}-list.csv"] = _csv(["customer_id", email], listed, [member.fields for member in members])
        told = [change.fields for change in batch.changes]
        files[f"{name}.csv"] = _csv(["operation", "customer_id", email], changes, told)
        with reaching(self.location, variable="LGS_DROP"):
            if self.location.startswith(SCHEME):
                put_files(self.location, files)
                return Answer(200)
            place = open_place(self.location, variable="LGS_DROP")
            if isinstance(place, Path):  # a bucket is not created: its name may be mistyped
                place.mkdir(parents=True, exist_ok=True)
            for file, content in files.items():
                _put(place / file, content)
        return Answer(200)

    def _shown(self, email: str | None) -> str:
        """An address, or its hash as advertising networks compare it: of lower case, without spaces around it."""
        if not email or not self.hashes_emails:
            return email or ""
        return sha256(email.strip().lower().encode()).hexdigest()


def _put(target: UPath, content: bytes) -> None:
    """Writes a file that is never seen half, and then its marker."""
    if isinstance(target, Path):  # a folder; an object in a bucket appears as a whole
        partial = target.with_name(f".{target.name}.part")
        partial.touch(mode=0o600)
        partial.write_bytes(content)
        partial.replace(target)
    else:
        target.write_bytes(content)
    target.with_name(f"{target.name}.done").write_bytes(b"")


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]], fields: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows under their head, each with its fields."""
    names = sorted({name for each in fields for name in each})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*head, *names])
    for row, told in zip(rows, fields, strict=True):
        values = [told.get(name) for name in names]
        writer.writerow([*row, *("" if value is None else csv_cell(str(value)) for value in values)])
    return text.getvalue().encode()
