"""How Dagster shows a failure with a known reason: the reason first, with nothing wrapped around it."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from lgs_assets.errors import DumpError, DumpsError, LgsError
from lgs_assets.escaping import printable

SHOWN_CHARACTERS = 500  # of a rejected line, which becomes part of an event in Dagster's database
REFUSED = "refused dumps"
"""The metadata of a failure that names the dumps behind it."""

_WHAT_TO_DO = "Correct the file in the inbox, or give it up, which also clears its partition here: lgs forget DUMP"


class StepFailure(dg.Failure):
    """An error of the platform in Dagster's form: as it is, without another attempt."""

    def __init__(self, error: LgsError) -> None:
        super().__init__(str(error), metadata=_details(error), allow_retries=False)
        self.error = error


@contextmanager
def plain_failures() -> Iterator[None]:
    """Shows an error of the platform raised in the block as the failure of the step.

    Dagster would bury any other exception under one of its own, which names the step and not the reason.
    """
    try:
        yield
    except LgsError as error:
        raise StepFailure(error) from None


def _details(error: LgsError) -> dict[str, dg.MetadataValue]:
    if not isinstance(error, DumpError):
        return {}
    details: dict[str, dg.MetadataValue] = {"what to do": dg.MetadataValue.text(_WHAT_TO_DO)}
    if isinstance(error, DumpsError):
        details[REFUSED] = dg.MetadataValue.json(error.dumps)
    records = [
        dg.TableRecord(
            {
                "line": reject.line,
                "column": reject.column,
                "reason": printable(reject.reason),
                "text": printable(reject.text[:SHOWN_CHARACTERS]) + "…" * (len(reject.text) > SHOWN_CHARACTERS),
            }
        )
        for reject in error.rejects
    ]
    if records:
        details["first rejected lines"] = dg.MetadataValue.table(records)
    return details
