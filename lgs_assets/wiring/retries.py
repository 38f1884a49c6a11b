"""What is retried: work interrupted by a restart of the database, or by storage out of reach."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import psycopg
import sqlalchemy as sa

from lgs_assets.errors import PermanentError, ServerError, UnavailableError

MAX_RETRIES = 10
SECONDS_BETWEEN = 6

_PASSING = (sa.exc.OperationalError, sa.exc.InterfaceError, psycopg.OperationalError, ServerError, UnavailableError)


@contextmanager
def retried() -> Iterator[None]:
    """Asks Dagster to retry the step if the block fails for a reason that may pass.

    Not a RetryPolicy of the asset: that would also retry when the user interrupts it.
    """
    try:
        yield
    except PermanentError:
        raise
    except _PASSING as error:
        raise dg.RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=SECONDS_BETWEEN) from error
