"""What is tried again: work that the database's restart, or a storage out of reach, interrupts."""

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
    """Asks Dagster to try the step again if the block fails for a reason that may pass.

    Not a RetryPolicy of the asset: that one takes an interrupt by the user for a reason to try again, too.
    """
    try:
        yield
    except PermanentError:
        raise
    except _PASSING as error:
        raise dg.RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=SECONDS_BETWEEN) from error
