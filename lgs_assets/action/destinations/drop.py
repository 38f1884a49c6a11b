"""A folder or a part of a bucket: a CSV file a plan, and beside it an empty one that says that it is complete."""

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from lgs_assets.action.destinations.protocol import Answer, Batch, Change, Erasure
from lgs_assets.escaping import csv_cell
from lgs_assets.places import open_place, reaching


@dataclass(frozen=True)
class Drop:
    """The destination `drop`."""

    location: str
    name: str = "drop"
    batch_rows: None = None
    has_own_ids: bool = False
    erasure: Erasure = "none"

    def send(self, batch: Batch) -> Answer:
        """See `Destination.send`. Done again it writes the same bytes."""
        place = open_place(self.location, variable="LGS_DROP")
        with reaching(self.location, variable="LGS_DROP"):
            place.mkdir(parents=True, exist_ok=True)
            target = place / f"{batch.audience}-plan-{batch.plan}.csv"
            if isinstance(target, Path):  # a folder; an object in a bucket appears as a whole
                partial = target.with_name(f".{target.name}.part")
                partial.touch(mode=0o600)
                partial.write_bytes(_csv(batch.changes))
                partial.replace(target)
            else:
                target.write_bytes(_csv(batch.changes))
            (place / f"{target.name}.done").write_bytes(b"")
        return Answer(200)

    def members(self, audience: str, ours: Collection[str]) -> None:
        """None: what becomes of a file is not known here."""


def _csv(changes: Sequence[Change]) -> bytes:
    names = sorted({name for change in changes for name in change.fields})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["operation", "customer_id", "email", *names])
    for change in changes:
        values = [change.fields.get(name) for name in names]
        cells = ["" if value is None else csv_cell(str(value)) for value in values]
        email = "" if change.operation == "remove" else change.email
        writer.writerow([change.operation, change.customer_id, email, *cells])
    return text.getvalue().encode()
